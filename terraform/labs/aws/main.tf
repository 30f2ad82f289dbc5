# SPDX-License-Identifier: Apache-2.0
locals {
  root      = abspath("${path.root}/../../..")
  state_dir = startswith(var.state_dir, "/") ? var.state_dir : "${local.root}/${var.state_dir}"
  tags      = merge({ Lab = var.name, ManagedBy = "terraform" }, var.tags)

  # The smallest type with the memory and cpus that are asked for; t3 is amd64, t4g its arm64 sister.
  sizes = [
    { size = "micro", memory = 1024, cpus = 2 },
    { size = "small", memory = 2048, cpus = 2 },
    { size = "medium", memory = 4096, cpus = 2 },
    { size = "large", memory = 8192, cpus = 2 },
    { size = "xlarge", memory = 16384, cpus = 4 },
    { size = "2xlarge", memory = 32768, cpus = 8 },
  ]
  families = { amd64 = "t3", arm64 = "t4g" }
  types = {
    for name, host in var.hosts : name => "${local.families[host.arch]}.${
      [for size in local.sizes : size.size if size.memory >= host.memory && size.cpus >= host.cpus][0]
    }"
  }

  images = var.image != "" ? {} : {
    for key in distinct([for host in values(var.hosts) : "${host.distro}-${host.arch}"]) :
    key => { release = trimprefix(split("-", key)[0], "debian"), arch = split("-", key)[1] }
  }
}

module "hosts" {
  source = "../../modules/lab_hosts"

  hosts          = var.hosts
  state_dir      = local.state_dir
  bob_password   = var.bob_password
  addresses      = { for name, instance in aws_instance.host : name => instance.public_ip }
  authorized_key = trimspace(file("${terraform_data.keys.output.state_dir}/ssh_key.pub"))
  host_keys = {
    for name in keys(var.hosts) : name => {
      private = file("${terraform_data.keys.output.state_dir}/hosts/${name}/ssh_host_ed25519_key")
      public  = file("${terraform_data.keys.output.state_dir}/hosts/${name}/ssh_host_ed25519_key.pub")
    }
  }
}

# The lab's key and the hosts' own are made here, so that the hosts are known before they exist.
resource "terraform_data" "keys" {
  input            = { state_dir = local.state_dir }
  triggers_replace = { state_dir = local.state_dir, hosts = keys(var.hosts) }

  provisioner "local-exec" {
    quiet   = true
    command = <<-EOT
      set -eu
      umask 077
      for key in ssh_key $HOST_KEYS; do
        mkdir -p "$STATE_DIR/$(dirname "$key")"
        test -e "$STATE_DIR/$key" || ssh-keygen -q -t ed25519 -N '' -C "$(basename "$key")" -f "$STATE_DIR/$key"
      done
    EOT
    environment = {
      STATE_DIR = local.state_dir
      HOST_KEYS = join(" ", [for name in keys(var.hosts) : "hosts/${name}/ssh_host_ed25519_key"])
    }
  }
}

resource "terraform_data" "known_hosts" {
  for_each = module.hosts.hosts

  triggers_replace = { address = each.value.address, keys = terraform_data.keys.id }

  provisioner "local-exec" {
    quiet   = true
    command = "printf '%s %s\\n' \"$ADDRESS\" \"$(cut -d ' ' -f 1,2 \"$FOLDER/ssh_host_ed25519_key.pub\")\" > \"$FOLDER/known_hosts\""
    environment = {
      ADDRESS = each.value.address
      FOLDER  = "${terraform_data.keys.output.state_dir}/hosts/${each.key}"
    }
  }
}

# Debian's own account publishes the images (wiki.debian.org/Cloud/AmazonEC2Image).
data "aws_ami" "debian" {
  for_each = local.images

  most_recent = true
  owners      = ["136693071363"]

  filter {
    name   = "name"
    values = ["debian-${each.value.release}-${each.value.arch}-*"]
  }
  filter {
    name   = "virtualization-type"
    values = ["hvm"]
  }
}

data "aws_subnet" "given" {
  count = var.subnet_id == "" ? 0 : 1

  id = var.subnet_id
}

data "aws_vpc" "default" {
  count = var.subnet_id == "" ? 1 : 0

  default = true
}

resource "aws_key_pair" "lab" {
  key_name_prefix = "${var.name}-"
  public_key      = trimspace(file("${terraform_data.keys.output.state_dir}/ssh_key.pub"))
  tags            = local.tags
}

resource "aws_security_group" "lab" {
  name_prefix = "${var.name}-"
  description = "SSH to the lab's hosts from one network only"
  vpc_id      = var.subnet_id == "" ? data.aws_vpc.default[0].id : data.aws_subnet.given[0].vpc_id
  tags        = merge(local.tags, { Name = var.name })

  ingress {
    description = "SSH"
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    cidr_blocks = [var.allowed_cidr]
  }

  # The hosts install packages from Debian's archive.
  egress {
    description = "Everything out"
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_instance" "host" {
  for_each = var.hosts

  ami                         = var.image != "" ? var.image : data.aws_ami.debian["${each.value.distro}-${each.value.arch}"].id
  instance_type               = local.types[each.key]
  key_name                    = aws_key_pair.lab.key_name
  subnet_id                   = var.subnet_id == "" ? null : var.subnet_id
  vpc_security_group_ids      = [aws_security_group.lab.id]
  associate_public_ip_address = true
  user_data                   = module.hosts.user_data[each.key]
  user_data_replace_on_change = true
  tags                        = merge(local.tags, { Name = "${var.name}-${each.key}" })
  volume_tags                 = merge(local.tags, { Name = "${var.name}-${each.key}" })

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    encrypted             = true
    volume_type           = "gp3"
    volume_size           = var.disk_gib
    delete_on_termination = true
  }

  lifecycle {
    ignore_changes = [ami] # a newer Debian image is no reason to lose a host
  }
}
