marquetry --set {{setting}}
