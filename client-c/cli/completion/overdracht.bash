# Completion of overdracht for bash.
_overdracht() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd='' store=() i
  local commands="enrol add edit retract list show conflicts resolve status sync import export-unsent people clients kinds author verify completion help"
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      -s|--store) store=(--store "${COMP_WORDS[i+1]}"); ((i++)) ;;
      --author|--zone|--lang) ((i++)) ;;
      -*) ;;
      *) cmd=${COMP_WORDS[i]}; break ;;
    esac
  done
  case $prev in
    -s|--store) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
    --map|--ca) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    --lang) mapfile -t COMPREPLY < <(compgen -W "nl en" -- "$cur"); return ;;
    --from|--to) mapfile -t COMPREPLY < <(compgen -W "today yesterday 7d" -- "$cur"); return ;;
  esac
  if [[ -z $cmd ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands --store --author --zone --lang --json --quiet --help --version" -- "$cur")
    return
  fi
  local options="--json --quiet --store --author --zone --lang --help"
  case $cmd in
    enrol) options+=" --name --ca" ;;
    add) options+=" --client --team" ;;
    retract) options+=" --reason --undo" ;;
    list) options+=" --client --from --to --unsent --attention --retracted --max" ;;
    sync) options+=" --live --once --again --wait --ca" ;;
    import) options+=" --map --dry-run --client --set" ;;
    kinds) options+=" --plain" ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
    return
  fi
  local at=$((COMP_CWORD - i))
  case $cmd in
    add|list|kinds)
      if ((at == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$(overdracht "${store[@]}" kinds --plain -q 2>/dev/null)" -- "$cur")
      elif [[ $cmd == add ]]; then
        mapfile -t COMPREPLY < <(compgen -S = -W "client team author $(overdracht "${store[@]}" kinds "${COMP_WORDS[i+1]}" --plain -q 2>/dev/null)" -- "$cur")
        compopt -o nospace
      fi ;;
    import) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    completion) mapfile -t COMPREPLY < <(compgen -W "bash zsh" -- "$cur") ;;
    help) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
  esac
}
complete -F _overdracht overdracht
