#!/bin/bash
# completion.sh bash|zsh COMMANDS.DEF - how a shell completes posternctl's and
# postern's command lines, made from the table of posternctl's commands.
set -eu

# "verb:second:help", a line a command
rows() {
	{
		echo '#define COMMAND(verb, second, f, m, t, s, help) @ verb:second:help'
		cat "$1"
	} | ${CC:-cc} -E -P -xc - | tr '\n' ' ' | tr @ '\n' |
	    sed -nE 's/^ *"([^"]*)" *: *"([^"]*)" *: *"([^"]*)" *$/\1:\2:\3/p'
}

verbs() { rows "$1" | cut -d: -f1 | uniq | paste -sd' '; }

seconds() { rows "$1" | awk -F: -v v="$2" '$1 == v && $2 != "" { print $2 }' |
    paste -sd' '; }

in_bash() {
	local verb list

	cat <<-EOF
	# bash completion for posternctl(8) and postern(8); made, not written.
	_posternctl() {
	    local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
	    local words=""

	    case \$prev in
	    -f|-C|--file) COMPREPLY=(\$(compgen -f -- "\$cur")); return ;;
	EOF
	for verb in $(verbs "$1"); do
		list=$(seconds "$1" "$verb")
		[ -z "$list" ] || echo "    $verb) words=\"$list\" ;;"
	done
	cat <<-EOF
	    posternctl) words="-f --json --help $(verbs "$1")" ;;
	    *) words="--json" ;;
	    esac
	    COMPREPLY=(\$(compgen -W "\$words" -- "\$cur"))
	}
	complete -o default -F _posternctl posternctl
	complete -o default -W "-d -f -n -V" postern
	EOF
}

in_zsh() {
	local verb list

	cat <<-EOF
	#compdef posternctl
	# zsh completion for posternctl(8); made, not written.
	local -a verbs
	verbs=(
	$(rows "$1" | awk -F: '!seen[$1]++ { h = $3; gsub(/[\047\\]/, "", h);
	    if ($2 != "") h = ""; print "    \047" $1 (h == "" ? "" : ":" h) "\047" }')
	)
	_arguments -C '-f[configuration]:file:_files' '--json[for programs]' \\
	    '1:command:{_describe command verbs}' '*::argument:->rest'
	case \$words[1] in
	EOF
	for verb in $(verbs "$1"); do
		list=$(seconds "$1" "$verb")
		[ -z "$list" ] || echo "$verb) _values word $list ;;"
	done
	echo "*) _files ;;"
	echo "esac"
}

"in_$1" "$2"
