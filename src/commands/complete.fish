# Completion of `undo` for fish 3 and later. Printed by `undo completions fish`.

function __undo_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    # The word at the cursor without quotes and backslashes; an open quote is closed first.
    set -l word (commandline --current-token --cut-at-cursor)
    set -l plain (string unescape -- $word; or string unescape -- $word\"; or string unescape -- $word\'; or echo -- $word)
    UNDO_COMPLETE=text undo -- $words "$plain" 2>/dev/null | while read --null --local value
        read --null --local help
        printf '%s\t%s\0' $value $help
    end
end

complete --command undo --no-files --keep-order --arguments "(__undo_complete | string split0)"
