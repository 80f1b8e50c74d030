#!/bin/sh
# Rebuilds `undo commit` and `undo checkout` from plumbing commands. Supports all file names, but not attributes and
# holes, which shell tools cannot create.
#
#   rebuild.sh commit MSG          commits the directory with write-tree
#   rebuild.sh commit-by-hand MSG  the same without write-tree, entry by entry
#   rebuild.sh checkout REV DIR    writes a commit to a new directory
set -eu

self=$(readlink -f -- "$0")
tab=$(printf '\t')
line=$(printf '\nx') && line=${line%x}

# Creates a commit of a tree and its links, if any, and moves the current branch to it, unless the branch has moved.
record() {
    message=$1 && shift
    old=$(undo rev-parse @)
    new=$(undo commit-tree "$@" -p "$old" -m "$message")
    undo update-ref @ "$new" "$old"
    echo "$new"
}

# Creates the tree of a directory, subdirectories first. At the root, `.undo` is left out.
tree() {
    cd -- "$1"
    {
        find . -mindepth 1 -maxdepth 1 ! -type d -exec sh -eu "$self" entries {} +
        find . -mindepth 1 -maxdepth 1 -type d ! -name "${2-}" -exec sh -eu "$self" directory {} \;
    } | undo mktree -z | tr -d '\0'
}

# Prints the line of a directory.
directory() {
    id=$(tree "$1")
    stat -c '%f %u:%g %.9Y' "$1" | entry tree "$id" "${1#./}"
}

# Prints a line; reads the mode in hex, owner and time from stdin.
entry() {
    read -r mode owner time
    printf '%06o %s %s %s %s -\t%s\0' "0x$mode" "$1" "$2" "$owner" "$time" "$3"
}

# Prints the lines of all other entries of a directory.
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

# Sets type and object; takes the id of a file from the list of remaining ids.
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

# Creates the table of hard links; prints nothing without hard links.
links() {
    find . -path ./.undo -prune -o ! -type d -links +1 -exec stat --printf '%d:%i\t%n\0' {} + |
        sort -z | xargs -0 -r -x -n 10000 sh -eu "$self" groups | undo mklinks -z | tr -d '\0'
}

# Groups paths that follow their inode and a TAB.
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
    # Last, since creating entries changes the time of a directory.
    list "$commit" -d | place "$2" 60 finish
    undo cat-file -p "$commit" | sed -n '/^$/q; s/^root //p' | {
        read -r mode owner time _
        dress "$mode" "$owner" "$time" "$2"
    }
}

# Reads five fields and a target of each entry, ended by NUL.
list() {
    undo ls-tree -r -z "$2" --format \
        '%(objectmode)%x00%(objectname)%x00%(owner)%x00%(mtime)%x00%(path)%x00%(target)' "$1"
}

# Passes input in batches to a function of this script that works in a directory.
place() {
    (cd -- "$1" && xargs -0 -r -x -n "$2" sh -eu "$self" "$3")
}

# Creates entries. `undo` finds the repository through `UNDO_REPOSITORY`, since DIR may be outside.
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

# Links the names of each group to its first name.
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

# Sets the metadata of directories.
finish() {
    while [ $# -gt 0 ]; do
        dress "$1" "$3" "$4" "./$5"
        shift 6
    done
}

# Sets owner, mode and time, in an order in which none resets another.
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
