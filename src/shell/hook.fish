# Hook of `undo` for fish 3 and later. Printed by `undo shell-hook fish`, from the setting `shell.guard`.

# Prints the aliases among the words of a line, as NAME=TEXT. Starts no process.
function __undo_aliases
    for word in (string match --all --regex '[\w.+:%-]+' -- $argv[1])
        functions --query -- $word; or continue
        set -l description (functions --details --verbose -- $word)[5]
        set -l text (string replace --filter --regex '^alias [\w.+:%-]+[= ]' '' -- $description)
        and echo -- "$word=$text"
    end
end

# Succeeds if a line, with the text of its aliases, may have a guarded command.
function __undo_is_guarded
    string match --quiet --regex '@EXPRESSION@' -- " $argv "
end

# Records before a line, if it may have a guarded command. Fails if the line must not run.
function __undo_record
    test "$UNDO_GUARD" != off; or return 0
    set -l __undo_texts (__undo_aliases $argv[1])
    __undo_is_guarded $argv[1] $__undo_texts; or return 0
    # While Enter is handled, the cursor is on the line, and a list may be below it.
    test -z '@STRICT@'; or printf '\n\e[J' >&2
    # Variables that the line uses, so that its paths are known.
    set -l __undo_variables
    for __undo_name in (string match --all --regex '(?<=\$)(?!argv\b|__undo_)[A-Za-z_]\w*' -- $argv[1])
        test (count $$__undo_name) -eq 1; or continue
        test (string length -- $$__undo_name) -le 4096; or continue
        set --append __undo_variables "$__undo_name=$$__undo_name"
    end
    command undo shell-hook fish @STRICT@ --variable=$__undo_variables --before $argv[1] --alias=$__undo_texts </dev/null >&2; and return 0
    test -n '@STRICT@'; or return 0
    return 1
end

function __undo_preexec --on-event fish_preexec
    test "$__undo_recorded" != "$argv[1]"; or return 0
    __undo_record $argv[1]
    or echo 'undo: fish runs this line although it was not recorded: an abbreviation was expanded, or a key other than Enter was used' >&2
    return 0
end

function __undo_postexec --on-event fish_postexec
    set --erase __undo_recorded
end

# Bound to Enter, because an event cannot refuse a line. Enter may also choose from a list of completions or from the history, which
# puts the line on the command line and does not run it.
function __undo_execute
    set -l line (commandline | string collect)
    if __undo_record $line
        set --global __undo_recorded $line
        commandline --function execute
    else
        echo 'undo: the line was not run (shell.strict); to run it anyway, type UNDO_GUARD=off before the command' >&2
        # Repainting begins as many lines above the cursor as the line, its prompt and a search in a list take before it.
        set -l before (commandline --cut-at-cursor --current-buffer)
        set -l wrapped (math "floor($(string length -- "$before") / $COLUMNS)")
        string repeat --no-newline --count (math (count (fish_prompt)) + (count $before) + $wrapped) \n >&2
        # Moving the cursor closes a list, which would keep the line from being edited.
        commandline --cursor 0
        commandline --function end-of-buffer repaint
    end
end

if status is-interactive; and test -n '@STRICT@'
    for mode in default insert
        bind --mode $mode \r __undo_execute
        bind --mode $mode \n __undo_execute
    end
end
