# A pair that is moved: to where its volume is, and to where it is not.
echo "containers: a pair is taken down and comes up elsewhere"
push "here"
export REPOSITORY=git://remote/site.git DELAY=500ms
files=(-f docker-compose.yml -f Tests/Containers/pushed.yml)
compose up -d >/dev/null 2>&1 || fail "up"
within 60 "the page shows" shows "" here
answers_until_200() { # the different answers, until the page is one of them
    local answer all=""
    for _ in $(seq 600); do
        answer=$(code "")
        all="$all $answer"
        [ "$answer" = 200 ] && break
        sleep 0.05
    done
    tr ' ' '\n' <<<"$all" | sort -u | paste -sd' ' - | xargs
}
compose down --timeout 5 >/dev/null 2>&1
docker compose "${files[@]}" up -d >/dev/null 2>&1 || fail "up on the volume, while the remote is down"
found=$(answers_until_200)
[[ $found =~ ^(000\ )?200$ ]] || fail "on the volume that it had, it answered $found"
shows "" here || fail "the page on the volume that it had"
ok "on the volume that it had it serves from its first answer, though the remote is down"
within 60 "its sidekick says that the remote is down" says updater "pass failed, will retry"
down
compose up -d >/dev/null 2>&1 || fail "up on a new volume"
found=$(answers_until_200)
[[ $found =~ ^(000\ )?(503\ )?200$|^(000\ )?200\ 503$ ]] || fail "on a new volume it answered $found"
within 60 "on a new volume it says so until the page shows, and never 404 ($found)" shows "" here
down
