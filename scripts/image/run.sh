#!/bin/sh
# Runs a command in a folder as its root, which it cannot write to: in a mount namespace of its own, as another user. What is
# written goes to the folders that are named, empty at first and gone at the end, as Kubernetes' emptyDir.
#
#   scripts/image/run.sh ROOT UID:GID "FOLDER..." COMMAND [ARGUMENT...]
#
# Needs root, unshare and mount (util-linux), and chroot (coreutils).
set -eu
export IMAGE_ROOT=$1 IMAGE_USER=$2 IMAGE_FOLDERS=$3
shift 3
exec unshare --mount --propagation private sh -euc '
  for folder in $IMAGE_FOLDERS; do mkdir -p "$IMAGE_ROOT$folder"; done
  mount --bind "$IMAGE_ROOT" "$IMAGE_ROOT"
  mount --rbind /dev "$IMAGE_ROOT/dev"
  mount --rbind /proc "$IMAGE_ROOT/proc"
  mount -o remount,ro,bind "$IMAGE_ROOT"
  for folder in $IMAGE_FOLDERS; do
    mount -t tmpfs -o "mode=2777,gid=${IMAGE_USER#*:}" tmpfs "$IMAGE_ROOT$folder"
  done
  exec env -i HOME=/home/nonroot "$(command -v chroot)" --userspec="$IMAGE_USER" "$IMAGE_ROOT" "$@"
' sh "$@"
