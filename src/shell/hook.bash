# Hook of `undo` for bash 4.4 and later. Printed by `undo shell-hook bash`, from the setting `shell.guard`.

# Succeeds if the text of a command may be guarded. Starts no process.
__undo_is_guarded() {
    local - IFS=$' \t\n' text word
    set -f
    text=" ${1//[![:alnum:]_.+:%-]/ } "
    for word in $text; do
        if [[ ' @PROGRAMS@ ' == *" $word "* ]] && __undo_arguments "$word" "$text"; then
            return 0
        fi
    done
    return 1
}

__undo_arguments() {
    case $1 in
    @ARGUMENTS@
    esac
    return 1
}

# Sets $? and $_.
__undo_state() {
    return "$1"
}

# Saves an existing DEBUG trap. The arguments are those that `trap -p` prints.
__undo_chain() {
    __undo_chained=$2
}

# The functions that run at each command turn `set -x` off, so that only its output for the user's commands is left.

# The DEBUG trap. $1 and $2 are $? and $_. Fails if the command must not run. It is called left of `||`, so `set -e` does not
# apply to it.
__undo_debug() {
    [[ $- != *x* ]] || { local -; set +x; } 2>/dev/null
    [[ -n ${__undo_inside-} ]] && return 0
    local __undo_inside=1 __undo_result=0
    if [[ -n ${__undo_chained-} ]]; then
        eval '__undo_state "$1" "$2"'$'\n'"$__undo_chained"
        __undo_result=$?
    fi
    if [[ $BASH_COMMAND == '__undo_prompt '* ]]; then
        # Ends a refusal. The prompt command itself cannot: with `extdebug`, bash skips commands in functions too.
        __undo_live=1 __undo_refused=''
        if [[ -n ${__undo_extdebug-} ]]; then
            shopt -u extdebug
            __undo_extdebug=''
        fi
        if [[ -n ${__undo_interrupt-} ]]; then
            eval "$__undo_interrupt"
            __undo_interrupt=''
        fi
    elif [[ ${__undo_at_prompt-} == 1 || -n ${COMP_LINE+x}${READLINE_LINE+x} ]]; then
        :
    elif [[ -n ${__undo_refused-} ]]; then
        __undo_result=1
    elif [[ ${UNDO_GUARD-} != off && ${__undo_seen-} != *$'\n'"$PWD $BASH_COMMAND"$'\n'* ]]; then
        # A loop runs the same command many times; the state before the first one is enough.
        if __undo_is_guarded "$BASH_COMMAND"; then
            __undo_record "$BASH_COMMAND" || __undo_result=1
        else
            ((${#__undo_seen} < 4000)) || __undo_seen=$'\n'
            __undo_seen+="$PWD $BASH_COMMAND"$'\n'
        fi
    fi
    return "$__undo_result"
}

# Records before a command. Fails if the command must not run.
__undo_record() {
    local __undo_rest=$1 __undo_name __undo_value __undo_key=$'\n'"$PWD $1" __undo_arguments=()
    # Passes the variables that the command uses, so that its paths are known.
    while [[ $__undo_rest == *\$* ]]; do
        __undo_rest=${__undo_rest#*\$}
        __undo_name=${__undo_rest#\{}
        __undo_name=${__undo_name%%[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_]*}
        [[ $__undo_name == [!0123456789]* && $__undo_name != __undo_* ]] || continue
        # Not `${!…}`, which of a nameref is a name.
        eval "__undo_value=\${$__undo_name-}; [[ -n \${$__undo_name+x} ]]" || continue
        if ((${#__undo_value} <= 4096 && ${#__undo_arguments[@]} < 20)); then
            __undo_arguments+=("--variable=$__undo_name=$__undo_value")
        fi
        # Of files in one directory, the state before the first one is enough.
        [[ -d $__undo_value || $__undo_value != */* ]] || __undo_value=${__undo_value%/*}
        [[ ! -d $__undo_value && $__undo_value != */* ]] || __undo_key+=" $__undo_value"
    done
    [[ $__undo_seen != *"$__undo_key"$'\n'* ]] || return 0
    ((${#__undo_seen} < 4000)) || __undo_seen=$'\n'
    __undo_seen+=${__undo_key#$'\n'}$'\n'
    ! shopt -q dotglob || __undo_arguments+=(--dotfiles)
    command undo shell-hook bash @STRICT@ "${__undo_arguments[@]}" --before "$1" </dev/null >&2 && return 0
    [[ -n '@STRICT@' ]] || return 0
    printf '%s\n' 'undo: the command was not run (shell.strict); to run it anyway, type UNDO_GUARD=off before it' >&2
    if ! shopt -q extdebug; then
        # With this option, a command is skipped if the DEBUG trap fails.
        shopt -s extdebug
        __undo_extdebug=1
    fi
    if [[ ${PROMPT_COMMAND[*]-} == *'__undo_prompt '* ]]; then
        __undo_refused=1
    fi
    # Ends loops and the rest of the line. A trap for INT would prevent that, so it is removed until the next prompt.
    __undo_interrupt=$(trap -p INT)
    trap - INT
    kill -INT "$$"
    return 1
}

# Runs before the other prompt commands, and returns $1, which is $?. From here on, the DEBUG trap ignores commands, because they
# belong to the prompt. Expanding PS0 ends that: bash does so after it has read a line, even if an interrupt has ended the prompt
# commands.
__undo_prompt() {
    [[ $- != *x* ]] || { local -; set +x; } 2>/dev/null
    __undo_seen=$'\n'
    if shopt -q promptvars; then
        [[ ${PS0-} == *__undo_at_prompt* ]] || PS0=${PS0-}'${__undo_none[__undo_at_prompt=0]-}'
        __undo_at_prompt=1
    elif [[ ${PROMPT_COMMAND[*]-} == *__undo_ready* ]]; then
        __undo_at_prompt=1
    fi
    [[ $- == *e* ]] || return "$1"
}

# Runs after the other prompt commands. Fails if another program has replaced the trap. If another program runs the prompt commands
# in a function, where the trap is not visible, that program is expected to keep the trap.
__undo_ready() {
    [[ $- != *x* ]] || { local -; set +x; } 2>/dev/null
    local live=${__undo_live-}
    __undo_live=''
    shopt -q promptvars || __undo_at_prompt=0
    [[ -n $live || ${#FUNCNAME[@]} -gt 1 ]]
}

# Not a function, in which the trap of the shell would not be visible.
__undo_install='
__undo_trap=$(trap -p DEBUG)
if [[ $__undo_trap != *__undo_debug* ]]; then
    __undo_chained=""
    [[ -z $__undo_trap ]] || eval "__undo_chain ${__undo_trap#trap }"
    trap '\''__undo_debug "$?" "$_" || ! : "$_"'\'' DEBUG
fi
unset -v __undo_trap
'

if [[ $- == *i* ]]; then
    __undo_seen=$'\n'
    if [[ ${PROMPT_COMMAND[*]-} != *'__undo_prompt '* ]]; then
        if [[ $(declare -p PROMPT_COMMAND 2>/dev/null) == 'declare -a'* ]]; then
            PROMPT_COMMAND=('__undo_prompt "$?"' "${PROMPT_COMMAND[@]}" '__undo_ready || eval "$__undo_install"')
        else
            PROMPT_COMMAND='__undo_prompt "$?"'$'\n'"${PROMPT_COMMAND-}"$'\n''__undo_ready || eval "$__undo_install"'
        fi
    fi
    eval "$__undo_install"
fi
