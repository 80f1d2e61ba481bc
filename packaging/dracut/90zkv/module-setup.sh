#!/bin/bash
# shellcheck disable=SC2154  # dracut sets $moddir, $initdir and $systemdsystemunitdir
# dracut's module for `zkv early`: asks the gateways from the initramfs, and answers systemd's prompts.

check() {
    [[ -n $(/usr/lib/zkv/early/copied-files 2>/dev/null) ]] || return 255
    return 0
}

depends() {
    echo systemd network
}

installkernel() {
    hostonly='' instmods tpm_tis tpm_crb
}

cmdline() {
    printf '%s' " rd.neednet=1"
}

install() {
    local kind path
    while read -r kind path; do
        case $kind in
            file) inst_simple "$path" ;;
            *) inst "$path" ;;
        esac
    done < <(/usr/lib/zkv/early/copied-files)
    inst /usr/lib/zkv/early/ask
    inst_simple "$moddir/zkv-early.service" "$systemdsystemunitdir/zkv-early.service"
    inst_multiple sed sort grep sleep
    printf '%s\n' "$(cmdline)" >>"$initdir/etc/cmdline.d/90zkv.conf"
    systemctl -q --root "$initdir" add-wants sysinit.target zkv-early.service
}
