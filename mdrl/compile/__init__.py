"""Reads games of OpenSpiel and of files into tables."""
