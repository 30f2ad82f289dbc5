# SPDX-License-Identifier: Apache-2.0
# Drift without a provider: each thing has a nonce in a file, written by the script that made it. While the thing is
# there the file's nonce is what the state holds, and nothing changes; when it is gone the nonce is this plan's time,
# and the thing is replaced. The script then writes that very nonce.
locals {
  fresh = "made ${plantimestamp()}"
  boot  = trimspace(try(file("/proc/sys/kernel/random/boot_id"), "unknown"))

  key_nonce = fileexists("${local.state_dir}/ssh_key") ? try(file("${local.state_dir}/ssh_key.nonce"), local.fresh) : local.fresh

  image_notes = { for key, image in local.images : key => try(jsondecode(file("${local.state_dir}/images/${key}.json")), { folder = "/none", nonce = "" }) }
  image_nonces = {
    for key, note in local.image_notes : key => fileexists("${note.folder}/manifest.json") ? note.nonce : local.fresh
  }

  disk_nonces = {
    for name in keys(var.hosts) : name =>
    fileexists("${local.state_dir}/hosts/${name}/disk.qcow2") ? try(file("${local.state_dir}/hosts/${name}/disk.nonce"), local.fresh) : local.fresh
  }

  # A process is ours when pid, start time (field 22 of /proc/<pid>/stat, the 20th after the name in parentheses) and
  # this machine's boot are those that were recorded.
  records = { for name in keys(var.hosts) : name => try(jsondecode(file("${local.state_dir}/hosts/${name}/process.json")), { pid = 0, start = "", boot = "" }) }
  starts  = { for name, record in local.records : name => try(split(" ", regex("(?s).*\\) (.*)$", file("/proc/${record.pid}/stat"))[0])[19], "none") }
  alive   = { for name, record in local.records : name => record.boot == local.boot && record.start == local.starts[name] }

  host_nonces = {
    for name in keys(var.hosts) : name =>
    local.alive[name] ? try(file("${local.state_dir}/hosts/${name}/nonce"), local.fresh) : local.fresh
  }
}
