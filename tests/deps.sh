#!/bin/bash
# deps.sh build|test - install what is missing of Debian's packages.
#
# "build" is what make and make run need; "test" adds what make check needs.
# Where nothing is missing no package tool is called, so it works offline.
# Services of what is installed are neither started nor left enabled.  Postfix
# is only unpacked, for its smtpd and its smtp-sink, because a host has one mail
# system and this may be another's; Exim, bsd-mailx and nsd likewise, and
# maildrop, procmail, fail2ban and cron, which would bring a service of their
# own, or are set-id programs.
set -u
cd "$(dirname "$0")/.." || exit 1

BUILD_PACKAGES="gcc make libc6-dev pkg-config procps libbsd-dev liblmdb-dev
    libunbound-dev libseccomp-dev libssl-dev libcrypt-dev libidn2-dev
    liblua5.4-dev libpcre2-dev"
# The last four lines are what the unpacked postfix, nsd, maildrop and exim4 are
# linked with.
TEST_PACKAGES="clang clang-format libclang-rt-14-dev lld libcmocka-dev mandoc
    python3 python3-pytest python3-pytest-xdist perl iproute2 util-linux
    openssl ca-certificates libmail-deliverystatus-bounceparser-perl
    swaks libnet-ssleay-perl curl nodejs node-nodemailer ldnsutils mutt
    dovecot-core dovecot-imapd dovecot-lmtpd dovecot-sieve dovecot-submissiond
    logrotate liblockfile1
    debhelper lintian systemd rpm
    libdb5.3 libnsl2 libicu72 libsasl2-2
    libevent-2.1-7 libfstrm0 libprotobuf-c1
    libgdbm6 libcourier-unicode4 libpcre3 libstdc++6
    libgnutls30 libgnutls-dane0 libidn12"
# Who calls sendmail.
TEST_PACKAGES="$TEST_PACKAGES monitoring-plugins-standard php-cli php-mbstring
    php-symfony-mailer s-nail msmtp git-email"
# What of these has a service: NAME-core brings NAME.
SERVICES="dovecot"
PEERS=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/postern/peers

say() { echo "deps: $*"; }

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		say "neither root nor sudo: please run as root: $*" >&2
		return 1
	fi
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = \
	    installed ] && return 0
	[ "$1" = pkg-config ] && command -v pkg-config >/dev/null
}

updated=no
update_once() {
	[ $updated = yes ] && return 0
	updated=yes
	say "apt-get update"
	as_root apt-get -qq update >&2
}

# without_starting COMMAND... - as root; packages ask policy-rc.d before they
# start their services, and hear no.  What stands in its place comes back.
without_starting() {
	as_root sh -c 'p=/usr/sbin/policy-rc.d
	    back() { rm -f $p; [ ! -e $p.kept ] || mv $p.kept $p; }
	    trap back EXIT
	    trap "exit 1" INT TERM HUP
	    [ ! -e $p ] || [ -e $p.kept ] || mv $p $p.kept || exit 1
	    printf "#!/bin/sh\nexit 101\n" >$p && chmod 755 $p && "$@"' sh "$@"
}

# Those that have just come are not to start with the next boot either.
disable_new() {
	local s

	for s in $SERVICES; do
		case " $1 " in *" $s-core "*) ;; *) continue ;; esac
		say "$s is for the tests alone: its service is disabled"
		as_root update-rc.d "$s" disable >&2 || return 1
	done
}

install_missing() {
	local p missing=

	for p in "$@"; do
		is_installed "$p" || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	say "installing$missing"
	update_once || return 1
	without_starting env DEBIAN_FRONTEND=noninteractive apt-get -qq \
	    install -y -o Dpkg::Use-Pty=0 --no-install-recommends \
	    $missing >&2 && disable_new "$missing"
}

# unpack PACKAGE FILE: put the package's files below $PEERS, if need be.
unpack() {
	local dir

	[ -e "$PEERS/usr/$2" ] && return 0
	say "fetching $1 to unpack (not install) its usr/$2 below $PEERS"
	dir=$(mktemp -d) && chmod 755 "$dir" || return 1
	(cd "$dir" && { apt-get -qq download "$1" ||
	    { update_once && apt-get -qq download "$1"; }; } >&2 &&
	    mkdir -p "$PEERS" && dpkg -x "$1"_*.deb "$PEERS")
	local status=$?
	rm -rf "$dir"
	return $status
}

case ${1:-} in
build)	install_missing $BUILD_PACKAGES ;;
test)	install_missing $BUILD_PACKAGES $TEST_PACKAGES &&
	unpack postfix sbin/smtp-source &&
	unpack exim4-daemon-light sbin/exim4 &&
	{ [ -x /usr/sbin/nsd ] || unpack nsd sbin/nsd; } &&
	unpack maildrop bin/maildrop &&
	unpack procmail bin/procmail &&
	unpack fail2ban bin/fail2ban-regex &&
	unpack bsd-mailx bin/bsd-mailx &&
	unpack courier-authlib lib/libcourierauth.so.0 &&
	{ [ -x /usr/sbin/nginx ] || unpack nginx sbin/nginx; } &&
	unpack cron sbin/cron && unpack logwatch sbin/logwatch &&
	unpack liblockfile1 share/doc/liblockfile1 &&
	mkdir -p build && ln -sfn "$PEERS" build/peers ;;
*)	echo "usage: deps.sh build|test" >&2; exit 2 ;;
esac || { say "something is missing, see above" >&2; exit 1; }
