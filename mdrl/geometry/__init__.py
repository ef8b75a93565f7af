"""Where iterates live: mirror maps and their dilated lifts."""
