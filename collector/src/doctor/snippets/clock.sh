# On the machine of the service:
timedatectl set-ntp true && timedatectl status
