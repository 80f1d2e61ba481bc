#!/bin/bash
# shellcheck disable=SC2154  # dracut sets $moddir, $initdir, $mount_needs and its paths of systemd's files
# dracut's module for `zkv early`: asks the gateways from the initramfs, and answers systemd's prompts.

check() {
    [[ ! $mount_needs ]] || return 1
    local files
    files=$(/usr/lib/zkv/early/copied-files) || return 1
    [[ $files ]] || return 255
}

depends() {
    echo systemd network
}

installkernel() {
    hostonly='' instmods -s tpm_tis tpm_crb
}

cmdline() {
    printf '%s' ' rd.neednet=1'
}

install() {
    local kind path linked
    while read -r kind path; do
        case $kind in
            file) inst_simple "$path" ;;
            program) inst "$path" ;;
            library)
                # dracut looks for what a file is linked with only if that may be executed, as libraries may not.
                mapfile -t linked < <(ldd "$path" | sed -n 's|.*=> \(/[^ ]*\) .*|\1|p')
                inst_multiple "$path" "${linked[@]}"
                ;;
        esac
    done < <(/usr/lib/zkv/early/copied-files 2>/dev/null)
    # The modes are those of the files, not of the folders, that were copied.
    chmod -R go-rwx "$initdir/var/lib/zkv" "$initdir/root" 2>/dev/null
    inst /usr/lib/zkv/early/ask
    inst_multiple sed sleep

    # NetworkManager's and dracut's own network want the word, systemd-networkd a file; an `ip=` goes before either.
    mkdir -p "$initdir/etc/cmdline.d"
    cmdline >"$initdir/etc/cmdline.d/90zkv.conf"
    inst_simple "$moddir/zzz-zkv.network" "$systemdnetwork/zzz-zkv.network"

    local unit
    for unit in zkv-early.service zkv-name-servers.service zkv-name-servers.path; do
        inst_simple "$moddir/$unit" "$systemdsystemunitdir/$unit"
    done
    inst_script "$moddir/name-servers" /usr/lib/zkv/early/name-servers
    $SYSTEMCTL -q --root "$initdir" add-wants sysinit.target zkv-early.service
}
