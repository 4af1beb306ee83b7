#!/usr/bin/env bash
# Builds the image and looks at it from outside, as an operator and as a neighbouring container would: its size, its user,
# a start without any right, the health check, the door, SIGTERM, and then docker-compose.yml with a neighbour that knows
# the documented host name only. One line for each check; exit 1 where one fails. `make container-check` runs it.
#
# It needs a Docker engine, curl, and Compose in either form (docker compose, docker-compose). Variables:
#
#   BUILD_ARGS  further arguments for docker build, such as "--network host --build-arg GOPROXY=…"
#   NEIGHBOUR   image with bash for the neighbour; its default is the one that the Dockerfile builds from, which is there already
#
# The ports of docker-compose.yml, 6400 and from 6410 on, have to be free. Nothing is left behind but the image
# understudy:check and what the engine caches.
set -uo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1
image=understudy:check
project=understudycheck
log=$(mktemp)
failed=0
container=

ok() { printf 'ok    %s\n' "$1"; }
fail() { printf 'FAIL  %s\n' "$1"; failed=$((failed + 1)); }
stop() { fail "$1"; tail -n 20 "$log"; exit 1; }
ms() { echo $((($(date +%s%N) - $1) / 1000000)); }

if docker compose version >/dev/null 2>&1; then compose=(docker compose); else compose=(docker-compose); fi
override=$(mktemp --suffix=.yml)
up=("${compose[@]}" -p "$project" -f docker-compose.yml -f "$override" --project-directory "$top")
cleanup() {
	[ -z "$container" ] || docker rm -f "$container" >/dev/null 2>&1
	"${up[@]}" down -v --remove-orphans >/dev/null 2>&1
	rm -f "$log" "$override"
}
trap cleanup EXIT

docker info >"$log" 2>&1 || stop "no Docker engine answers"
"${compose[@]}" version >"$log" 2>&1 || stop "Compose is not installed"
: "${NEIGHBOUR:=$(sed -nE 's/^FROM ([^ ]+) AS build$/\1/p' Dockerfile)}"
# The image that was built is the one that is looked at, whatever the registry has.
printf 'version: "3.8"\nservices:\n  understudy:\n    image: %s\n' "$image" >"$override"

# The image.
# shellcheck disable=SC2086 # BUILD_ARGS is several words
docker build ${BUILD_ARGS:-} -t "$image" . >"$log" 2>&1 || stop "the image does not build"
size=$(($(docker image inspect -f '{{.Size}}' "$image") / 1000000))
if [ "$size" -lt 25 ]; then ok "the image has $size MB"; else fail "the image has $size MB, under 25 are wanted"; fi
user=$(docker image inspect -f '{{.Config.User}}' "$image")
if [ "$user" = 65532:65532 ]; then ok "its user is $user"; else fail "its user is '$user', 65532:65532 was wanted"; fi

# A start with no right at all.
begun=$(date +%s%N)
container=$(docker run -d --read-only --cap-drop ALL --security-opt no-new-privileges \
	-p 127.0.0.1::6400 -p 127.0.0.1::6410 "$image") || stop "the container does not start"
control=http://$(docker port "$container" 6400/tcp | head -n 1)
door=http://$(docker port "$container" 6410/tcp | head -n 1)
ready=
for _ in $(seq 250); do
	if curl -fs -o /dev/null "$control/healthz"; then ready=$(ms "$begun"); break; fi
	sleep 0.02
done
if [ -n "$ready" ]; then
	ok "read-only and without capabilities it is ready after $ready ms"
else
	docker logs "$container" >"$log" 2>&1
	stop "read-only and without capabilities it is not ready"
fi
if docker exec "$container" /usr/local/bin/understudy health; then ok "understudy health is content"; else fail "understudy health is not content"; fi
reply=$(curl -s -H 'Host: car.tencentcloudapi.com' "$door/")
case $reply in
*'"Response"'*) ok "the door answers for car.tencentcloudapi.com" ;;
*) fail "the door says for car.tencentcloudapi.com: ${reply:-nothing}" ;;
esac
begun=$(date +%s%N)
docker stop -t 5 "$container" >/dev/null
took=$(ms "$begun")
code=$(docker inspect -f '{{.State.ExitCode}}' "$container")
if [ "$code" = 0 ] && [ "$took" -lt 2500 ]; then ok "on SIGTERM it ends with 0 in $took ms"; else fail "on SIGTERM it ends with $code in $took ms"; fi
docker rm "$container" >/dev/null
container=

# The compose file, and a neighbour.
"${up[@]}" up -d --no-build >"$log" 2>&1 || stop "compose does not come up"
id=$("${up[@]}" ps -q understudy)
health=
for _ in $(seq 60); do
	health=$(docker inspect -f '{{.State.Health.Status}}' "$id" 2>/dev/null)
	[ "$health" != healthy ] || break
	sleep 0.5
done
if [ "$health" = healthy ]; then ok "compose: it is healthy"; else
	docker logs "$id" >"$log" 2>&1
	stop "compose: its health is '$health'"
fi
network=$(docker inspect -f '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}' "$id")
for port in 6410 80; do
	reply=$(docker run --rm --network "$network" --entrypoint bash "$NEIGHBOUR" -c \
		'exec 3<>/dev/tcp/car.tencentcloudapi.com/'"$port"' && printf "GET / HTTP/1.1\r\nHost: car.tencentcloudapi.com\r\nConnection: close\r\n\r\n" >&3 && cat <&3' 2>&1)
	case $reply in
	*'"Response"'*) ok "compose: a neighbour reaches car.tencentcloudapi.com:$port by name" ;;
	*) fail "compose: a neighbour at port $port gets: $(tail -n 1 <<<"$reply")" ;;
	esac
done

curl -s http://127.0.0.1:6410/@/ca.pem >"$log"
reply=$(curl -s --cacert "$log" --connect-to car.tencentcloudapi.com:443:127.0.0.1:6420 https://car.tencentcloudapi.com/)
case $reply in
*'"Response"'*) ok "compose: the TLS door answers for car.tencentcloudapi.com, by its own CA" ;;
*) fail "compose: the TLS door says for car.tencentcloudapi.com: ${reply:-nothing}" ;;
esac

if [ "$failed" -gt 0 ]; then
	echo "container-check: $failed failed"
	exit 1
fi
echo "container-check: all is well"
