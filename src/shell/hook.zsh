# Hook of `undo` for zsh 5 and later. Printed by `undo shell-hook zsh`, from the setting `shell.guard`.

# Succeeds if a line may have a guarded command. Starts no process.
__undo_is_guarded() {
    emulate -L zsh
    setopt no_glob
    local text=" ${1//[^[:alnum:]_.+:%-]/ } " word
    for word in ${=text}; do
        if [[ ' @PROGRAMS@ ' == *" $word "* ]] && __undo_arguments "$word" "$text"; then
            return 0
        fi
    done
    return 1
}

__undo_arguments() {
    emulate -L zsh
    case $1 in
    @ARGUMENTS@
    esac
    return 1
}

# Records before a line. Fails if the line must not run.
__undo_record() {
    # `set -x` is for the commands of the user.
    [[ ! -o xtrace ]] || { setopt local_options no_xtrace } 2>/dev/null
    local __undo_rest=$1 __undo_name __undo_dotfiles=
    [[ ! -o glob_dots ]] || __undo_dotfiles=--dotfiles
    emulate -L zsh
    [[ ${UNDO_GUARD-} == off ]] && return 0
    __undo_is_guarded "$1" || return 0
    # Passes the variables that the line uses, so that its paths are known.
    local -a __undo_arguments
    while [[ $__undo_rest == *\$* ]]; do
        __undo_rest=${__undo_rest#*\$}
        __undo_name=${${__undo_rest#\{}%%[^ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_]*}
        [[ $__undo_name == [^0123456789]* && $__undo_name != __undo_* ]] || continue
        [[ ${(Pt)__undo_name} == (scalar|integer|float)* ]] || continue
        (( ${#${(P)__undo_name}} <= 4096 && $#__undo_arguments < 20 )) || continue
        __undo_arguments+=("--variable=$__undo_name=${(P)__undo_name}")
    done
    command undo shell-hook zsh @STRICT@ $__undo_dotfiles $__undo_arguments --before "$1" </dev/null >&2 && return 0
    [[ -n '@STRICT@' ]] || return 0
    print -ru2 'undo: the line was not run (shell.strict); to run it anyway, type UNDO_GUARD=off before the command'
    return 1
}

# $3 is the line with aliases and history expanded.
__undo_preexec() {
    __undo_record "$3" || __undo_refuse
    return 0
}

# Keeps a line from running. Not in `emulate -L`, which would restore the trap.
__undo_refuse() {
    if [[ -o debug_before_cmd && ! -o local_traps && -z ${functions[TRAPDEBUG]-} && "$(trap)" != *DEBUG* ]]; then
        # With this option, zsh skips the command before which the DEBUG trap ran. Functions of the prompt run.
        __undo_refused=1
        trap '(( $#funcstack )) || setopt err_exit' DEBUG
    else
        kill -INT $$
    fi
}

__undo_precmd() {
    if [[ -n ${__undo_refused-} ]]; then
        trap - DEBUG
        unset __undo_refused
    fi
    return 0
}

if [[ -o interactive ]]; then
    typeset -ga preexec_functions precmd_functions
    (( ${preexec_functions[(Ie)__undo_preexec]} )) || preexec_functions+=(__undo_preexec)
    (( ${precmd_functions[(Ie)__undo_precmd]} )) || precmd_functions+=(__undo_precmd)
fi
