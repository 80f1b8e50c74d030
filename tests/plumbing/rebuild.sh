#!/bin/sh
# What `undo commit` and `undo checkout` do, rebuilt from plumbing alone. Names may hold any byte; attributes and holes,
# which no tool of the shell can make, are left out.
#
#   rebuild.sh commit MSG          a commit of the directory, by write-tree
#   rebuild.sh commit-by-hand MSG  the same without write-tree: every entry looked at here
#   rebuild.sh checkout REV DIR    a commit as a new directory
set -eu

self=$(readlink -f -- "$0")
tab=$(printf '\t')
line=$(printf '\nx') && line=${line%x}

# Makes a commit of a tree, and of its links if it has any; puts it on the current branch, if that has not moved.
record() {
    message=$1 && shift
    old=$(undo rev-parse @)
    new=$(undo commit-tree "$@" -p "$old" -m "$message")
    undo update-ref @ "$new" "$old"
    echo "$new"
}

# The tree of a directory; those in it are made first. At the root, `.undo` is not recorded.
tree() {
    cd -- "$1"
    {
        find . -mindepth 1 -maxdepth 1 ! -type d -exec sh -eu "$self" entries {} +
        find . -mindepth 1 -maxdepth 1 -type d ! -name "${2-}" -exec sh -eu "$self" directory {} \;
    } | undo mktree -z | tr -d '\0'
}

# The line of a directory.
directory() {
    id=$(tree "$1")
    stat -c '%f %u:%g %.9Y' "$1" | entry tree "$id" "${1#./}"
}

# A line: the mode in hex, owner and time from stdin.
entry() {
    read -r mode owner time
    printf '%06o %s %s %s %s -\t%s\0' "0x$mode" "$1" "$2" "$owner" "$time" "$3"
}

# The lines of all else in a directory.
entries() {
    ids=$(
        for path; do
            if [ -f "$path" ] && [ ! -L "$path" ]; then printf '%s\0' "$path"; fi
        done | undo hash-object -w -z --stdin-paths | tr '\0' '\n'
    )
    for path; do
        metadata=$(stat -c '%f %u:%g %.9Y' "$path")
        describe "$path"
        echo "$metadata" | entry "$type" "$object" "${path#./}"
        if [ "$type" = symlink ]; then readlink -z "$path"; fi
    done
}

# Sets type and object, and takes the id of a file from those that are left.
describe() {
    object=-
    if [ -L "$1" ]; then
        type=symlink
    elif [ -f "$1" ]; then
        type=blob
        object=${ids%%"$line"*}
        ids=${ids#*"$line"}
    elif [ -p "$1" ]; then
        type=fifo
    else
        if [ -b "$1" ]; then type=block-device; else type=char-device; fi
        object=$(printf '%d:%d' $(stat -c '0x%t 0x%T' "$1"))
    fi
}

# The table of hard links; nothing if there are none.
links() {
    find . -path ./.undo -prune -o ! -type d -links +1 -exec stat --printf '%d:%i\t%n\0' {} + |
        sort -z | xargs -0 -r -x -n 10000 sh -eu "$self" groups | undo mklinks -z | tr -d '\0'
}

# Paths, each behind its inode and a TAB, as groups.
groups() {
    last='' first='' ended=''
    for name; do
        inode=${name%%"$tab"*} path=${name#*"$tab"./}
        if [ "$inode" != "$last" ]; then
            last=$inode first=$path
            continue
        fi
        if [ -n "$first" ]; then
            printf "$ended"'%s\0' "$first"
            first='' ended='\0'
        fi
        printf '%s\0' "$path"
    done
}

checkout() {
    commit=$(undo rev-parse --verify "$1")
    mkdir -p -- "$2"
    list "$commit" -t | place "$2" 60 make
    linked=$(undo cat-file -p "$commit" | sed -n 's/^links //p')
    if [ -n "$linked" ]; then undo cat-file -z -p "$linked" | place "$2" 10000 join; fi
    # Last, since whatever is made in a directory changes its time.
    list "$commit" -d | place "$2" 60 finish
    undo cat-file -p "$commit" | sed -n '/^$/q; s/^root //p' | {
        read -r mode owner time _
        dress "$mode" "$owner" "$time" "$2"
    }
}

# Five fields and a target of each entry, ended by NUL.
list() {
    undo ls-tree -r -z "$2" --format \
        '%(objectmode)%x00%(objectname)%x00%(owner)%x00%(mtime)%x00%(path)%x00%(target)' "$1"
}

# Hands what comes, so many at once, to a function of this script that works in a directory.
place() {
    (cd -- "$1" && xargs -0 -r -x -n "$2" sh -eu "$self" "$3")
}

# Makes entries. `undo` finds the repository by `UNDO_REPOSITORY`, since DIR may be anywhere.
make() {
    while [ $# -gt 0 ]; do
        path=./$5
        case $1 in
        04*) mkdir -m 700 -- "$path" ;;
        10*) undo -C "$UNDO_REPOSITORY" cat-file blob "$2" >"$path" ;;
        12*) ln -s -- "$6" "$path" ;;
        01*) mkfifo "$path" ;;
        02*) mknod "$path" c "${2%:*}" "${2#*:}" ;;
        06*) mknod "$path" b "${2%:*}" "${2#*:}" ;;
        esac
        case $1 in
        04*) ;;
        *) dress "$1" "$3" "$4" "$path" ;;
        esac
        shift 6
    done
}

# Makes the names of each group names of its first one.
join() {
    first=
    for path; do
        if [ -z "$path" ]; then
            first=
        elif [ -z "$first" ]; then
            first=$path
        else
            ln -f -- "./$first" "./$path"
        fi
    done
}

# Finishes directories.
finish() {
    while [ $# -gt 0 ]; do
        dress "$1" "$3" "$4" "./$5"
        shift 6
    done
}

# Owner, mode and time, in the order in which none undoes another.
dress() {
    chown -h -- "$2" "$4"
    case $1 in
    12*) ;;
    *) chmod -- "${1#??}" "$4" ;;
    esac
    touch -h -d "@$3" -- "$4"
}

case $1 in
commit) record "$2" $(undo write-tree) ;;
commit-by-hand) record "$2" "$(tree . .undo)" $(links) ;;
checkout) UNDO_REPOSITORY=$PWD && export UNDO_REPOSITORY && checkout "$2" "$3" ;;
*) "$@" ;;
esac
