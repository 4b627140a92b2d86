# SPDX-License-Identifier: BSD-3-Clause
# Completion of plait(1) for bash.
# shellcheck shell=bash

# The number of the word that is plait run's library; nothing while the options
# still go on.
_plait_library()
{
    local i
    for ((i = 2; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --)
            echo $((i + 1))
            return
            ;;
        --scheduler | --workers | --address | --log | --log-level | \
            --retries | --timeout | --trace | --graph)
            # --option = value are three words to readline
            [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
            ((i++))
            ;;
        -*) ;;
        *)
            echo "$i"
            return
            ;;
        esac
    done
}

_plait_words()
{
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_plait_files()
{
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen "$@" -- "$cur")
}

_plait_run()
{
    local options="--scheduler --workers --address --log --log-level --progress
        --collect --stop --retries --timeout --trace --graph --dry-run --json
        --help"
    local library
    library=$(_plait_library)
    if [[ -n $library ]] && ((library < COMP_CWORD)); then
        _plait_files -f
        return
    fi
    case $prev in
    --scheduler) _plait_words "sync threads processes distributed" ;;
    --log-level) _plait_words "debug info warning error critical" ;;
    --log | --trace | --graph) _plait_files -f ;;
    --workers | --retries | --timeout | --address) ;;
    *)
        if [[ $cur == -* ]]; then
            _plait_words "$options"
        else
            _plait_files -f -X '!*.so'
            local -a folders
            mapfile -t folders < <(compgen -d -- "$cur")
            COMPREPLY+=("${folders[@]}")
        fi
        ;;
    esac
}

_plait()
{
    local cur=${COMP_WORDS[COMP_CWORD]}
    local prev=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        _plait_words "run info --version --help"
    elif [[ ${COMP_WORDS[1]} == run ]]; then
        _plait_run
    fi
}

complete -F _plait plait
