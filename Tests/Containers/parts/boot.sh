# The unit under a real systemd. By name alone (`Tests/Containers/run boot`): it hands the engine's control groups to a container.
. Tests/Containers/parts/package.sh
echo "containers: the package on a Debian that booted"
cat >"$work/Dockerfile" <<'DOCKER'
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends systemd ca-certificates openssh-client procps && rm -rf /var/lib/apt/lists/*
STOPSIGNAL SIGRTMIN+3
CMD ["/lib/systemd/systemd"]
DOCKER
docker build -q -t "$COMPOSE_PROJECT_NAME-booted" - <"$work/Dockerfile" >"$work/booted" 2>&1 || fail "an image with systemd: $(tail -5 "$work/booted")"
machine=$(docker run -d --cap-add SYS_ADMIN --cap-add SYS_PTRACE --security-opt seccomp=unconfined --security-opt apparmor=unconfined --cgroupns host -v /sys/fs/cgroup:/sys/fs/cgroup:rw --tmpfs /run --tmpfs /run/lock -v "$work/package:/package:ro" -v "$REPOSITORIES:/repositories:ro" "$COMPOSE_PROJECT_NAME-booted")
end_machine() { docker rm -f "$machine" >/dev/null 2>&1; docker image rm -f "$COMPOSE_PROJECT_NAME-booted" >/dev/null 2>&1; }
ends+=(end_machine)
in_() { docker exec "$machine" "$@"; }
booted() { in_ systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'; }
within 40 "it booted" booted
in_ sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends /package/*.deb >/dev/null 2>&1' || fail "apt-get install"
in_ sh -c 'mkdir -p /etc/sidekick && printf "REPOSITORY=/repositories/site.git\nDELAY=500ms\n" >/etc/sidekick/site.env'
in_ systemctl enable --now -q sidekick@site || fail "systemctl: $(in_ journalctl -u sidekick@site --no-pager | tail -5)"
page_there() { [ "$(in_ cat /var/lib/sidekick/site/www/index.html 2>/dev/null)" = "$1" ]; }
within 30 "the unit publishes" page_there packaged
push "packaged again"
within 20 "and follows" page_there "packaged again"
in_ systemctl reload sidekick@site && [ "$(in_ systemctl is-active sidekick@site)" = active ] || fail "reload"
in_ sh -c 'kill -9 $(systemctl show -P MainPID sidekick@site)'
push "packaged and killed"
within 30 "killed, it comes back" page_there "packaged and killed"
in_ sh -c 'dpkg -i /package/*.deb >/dev/null 2>&1 && systemctl is-active -q sidekick@site' || fail "an upgrade"
page_there "packaged and killed" || fail "the page after an upgrade"
in_ systemctl stop sidekick@site
page_there "packaged and killed" || fail "the page after a stop"
ok "reload, upgrade and stop leave the site up"
end_machine
