#compdef undo
# Completion of `undo` for zsh. Printed by `undo completions zsh`. To be sourced, or as `_undo` in a folder of `$fpath`.

_undo() {
    local -a offered folders others
    local one value
    # Words without quotes and backslashes, the last one up to the cursor.
    offered=("${(@f)$(
        _CLAP_IFS=$'\n' _CLAP_COMPLETE_INDEX=$((CURRENT - 1)) UNDO_COMPLETE=zsh \
            undo -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null
    )}")
    for one in $offered; do
        # VALUE:HELP, where colons of the value are `\:`.
        value=${one//\\:/}
        if [[ ${value%%:*} == */ ]]; then
            folders+=("$one")
        else
            others+=("$one")
        fi
    done
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
