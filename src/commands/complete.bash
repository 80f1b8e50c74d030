# Completion of `undo` for bash 4 and later. Printed by `undo completions bash`.

_undo() {
    # Bash splits words at `@`, `:` and `=`, which are letters of revisions: put them together again.
    local rest=${COMP_LINE:0:COMP_POINT} words=() word n n_last
    for ((n = 0; n <= COMP_CWORD; n++)); do
        word=${COMP_WORDS[n]}
        if ((n > 0)) && [[ $rest != [[:blank:]]* ]]; then
            n_last=$((${#words[@]} - 1))
        else
            rest=${rest#"${rest%%[![:blank:]]*}"}
            words+=("")
            n_last=$((${#words[@]} - 1))
        fi
        ((n == COMP_CWORD)) && word=$rest
        words[n_last]+=$word
        rest=${rest#"$word"}
    done
    local current=${words[n_last]}
    # Bash replaces only what stands after the last split.
    local kept=${current%"$2"} reply IFS=$'\013'
    COMPREPLY=()
    for reply in $(
        _CLAP_IFS="$IFS" _CLAP_COMPLETE_INDEX=$n_last UNDO_COMPLETE=bash undo -- "${words[@]}" 2>/dev/null
    ); do
        reply=${reply#"$kept"}
        [[ $reply == *[[:space:]\'\"\\\$\&\;\(\)\<\>\|\`\*\?\[]* ]] && printf -v reply %q "$reply"
        [[ $reply == */ ]] || reply+=" "
        COMPREPLY+=("$reply")
    done
}

complete -o nospace -F _undo undo
