
set edit:completion:arg-completer[undo] = { |@words|
    var index = (count $words)
    set index = (- $index 1)

    put (env _CLAP_IFS="\n" _CLAP_COMPLETE_INDEX=(to-string $index) UNDO_COMPLETE="elvish" undo -- $@words) | to-lines
}

