#compdef undo
# Completion of `undo` for zsh. Printed by `undo completions zsh`. To be sourced, or as `_undo` in a folder of `$fpath`.

_undo() {
    local -a folders others
    local value help
    # Words without quotes and backslashes, the last one up to the cursor. `_describe` takes VALUE:HELP.
    while IFS= read -r -d '' value && IFS= read -r -d '' help; do
        if [[ $value == */ ]]; then
            folders+=("${${value//\\/\\\\}//:/\\:}${help:+:$help}")
        else
            others+=("${${value//\\/\\\\}//:/\\:}${help:+:$help}")
        fi
    done < <(UNDO_COMPLETE=bytes undo -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
    # No space after a folder: its entries may follow.
    local -i found=1
    (( $#folders )) && _describe -V values folders -S '' && found=0
    (( $#others )) && _describe -V values others && found=0
    return found
}

# Found through `$fpath` this file is the function; sourced it is not.
if [[ $funcstack[1] == _undo ]]; then
    _undo "$@"
else
    compdef _undo undo
fi
