# The Debian package, on a clean Debian.
. Tests/Containers/parts/package.sh
docker run --rm -i -v "$work/package:/package:ro" -v "$REPOSITORIES:/repositories:ro" debian:bookworm-slim bash -euo pipefail >"$work/debian.log" 2>&1 <<'INSIDE' || { tail -30 "$work/debian.log"; fail "on a clean Debian"; }
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends systemd bash-completion man-db /package/*.deb >/dev/null
getent passwd sidekick
sidekick --version
# The image leaves out what is in /usr/share/doc, and with it our example.
grep -q /usr/share/doc/sidekick/example.env <<<"$(dpkg -L sidekick)"
printf 'REPOSITORY=/repositories/site.git\n' >/etc/sidekick/site.env
systemd-analyze verify sidekick@site.service
systemd-analyze security --offline=true --threshold=20 sidekick@site.service | tail -1
# As the unit would: its user, its variables.
install -d -o sidekick -m 755 /var/lib/sidekick /var/lib/sidekick/site
set -a
. /etc/sidekick/site.env
setpriv --reuid=sidekick --regid=sidekick --clear-groups env DESTINATION=/var/lib/sidekick/site/www SIDEKICK_LAYOUT=link sidekick --once
cat /var/lib/sidekick/site/www/index.html
bash -n /usr/share/bash-completion/completions/sidekick
apt-get remove -y -qq sidekick >/dev/null
[ ! -e /usr/bin/sidekick ] && [ -e /var/lib/sidekick/site/www/index.html ]
INSIDE
grep -q 'Overall exposure level.* [01]\.[0-9]' "$work/debian.log" || fail "exposure: $(grep exposure "$work/debian.log")"
grep -q '^packaged' "$work/debian.log" || fail "$(cat "$work/debian.log")"
ok "installs, verifies, publishes as its user, and leaves the site when it is removed: $(grep -o 'level.*' "$work/debian.log" | head -1)"

echo "containers: make deb, make install"
made=$(make -s deb PROGRAM="$work/sidekick" | tail -1) || fail "make deb"
[ "$(basename "$made")" = "$(basename "$deb")" ] && rm "$made" || fail "make deb makes $made"
make -s install PROGRAM="$work/sidekick" DESTDIR="$work/root" || fail "make install"
[ "$("$work/root/usr/local/bin/sidekick" --version)" = "$("$work/sidekick" --version)" ] || fail "the installed program"
grep -q '^ExecStart=/usr/local/bin/sidekick$' "$work/root/usr/local/lib/systemd/system/sidekick@.service" || fail "the unit"
make -s uninstall DESTDIR="$work/root" 2>/dev/null
[ -z "$(find "$work/root" -type f)" ] || fail "left behind: $(find "$work/root" -type f)"
ok "installs, and uninstalls without a rest"
