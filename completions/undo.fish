complete --keep-order --exclusive --command undo --arguments "(UNDO_COMPLETE=fish undo -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
