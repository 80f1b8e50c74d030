# Completion of `undo` for bash 4 and later. Printed by `undo completions bash`.

# A word without its quotes and backslashes, in `plain`; in `quote` the one that is still open.
_undo_plain() {
    local rest=$1 letter
    plain='' quote=''
    while [[ -n $rest ]]; do
        letter=${rest:0:1} rest=${rest:1}
        if [[ $letter == \\ && $quote != \' ]]; then
            plain+=${rest:0:1} rest=${rest:1}
        elif [[ -z $quote && $letter == [\"\'] ]]; then
            quote=$letter
        elif [[ -n $quote && $letter == "$quote" ]]; then
            quote=''
        else
            plain+=$letter
        fi
    done
}

_undo() {
    # Bash splits words at `@`, `:` and `=`, which are letters of revisions: put them together again.
    local rest=${COMP_LINE:0:COMP_POINT} words=() word n n_last plain quote
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
    for ((n = 0; n <= n_last; n++)); do
        _undo_plain "${words[n]}"
        words[n]=$plain
    done
    # Bash replaces only what stands after the last split, and has left an open quote out of it.
    local open=$quote reply bare help is_folder
    [[ -n $open ]] && plain=$2 || _undo_plain "$2"
    local kept=${words[n_last]%"$plain"}
    COMPREPLY=()
    while IFS= read -r -d '' reply && IFS= read -r -d '' help; do
        reply=${reply#"$kept"}
        [[ $reply == */ ]] && is_folder=1 || is_folder=
        if [[ -n $open ]]; then
            # Bash closes the quote; what would need more than that is not offered.
            [[ $open == \' && $reply == *\'* ]] && continue
            [[ $open == \" && $reply == *[\\\"\$\`!]* ]] && continue
            [[ $reply == *[[:cntrl:]]* ]] && continue
        else
            # The braces of `@{step}` are not special in bash.
            [[ $kept$reply =~ @\{[[:lower:]]+\}$ ]] && bare=${reply//[{\}]/} || bare=$reply
            [[ $bare == *[^[:alnum:]./@:=+_~^-]* || $bare == \~* ]] && printf -v reply %q "$reply"
            [[ -n $is_folder ]] || reply+=" "
        fi
        COMPREPLY+=("$reply")
    done < <(UNDO_COMPLETE=bytes undo -- "${words[@]}" 2>/dev/null)
}

complete -o nospace -F _undo undo
