import { BlockList, isIP } from 'node:net'

// Use two lists: a single list would also compare IPv4 addresses with the IPv6 ranges that map them, and IPv6 addresses
// with the IPv4 ranges.
const internal = new BlockList()
for (const range of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
])
  internal.addSubnet(...subnet(range), 'ipv4')

// IANA allocates public IPv6 addresses from one block. All other addresses are loopback, link-local, private, mapped,
// translated or multicast.
const global = new BlockList()
global.addSubnet('2000::', 3, 'ipv6')
const special = new BlockList()
for (const range of ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'])
  special.addSubnet(...subnet(range), 'ipv6')

function subnet(range: string): [net: string, prefix: number] {
  const [net = '', prefix] = range.split('/')
  return [net, Number(prefix)]
}

/** Returns whether an IP address belongs to the public internet. Returns false for a text that is not an IP address. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !internal.check(address, 'ipv4')
  return isIP(address) === 6 && global.check(address, 'ipv6') && !special.check(address, 'ipv6')
}

/** Returns the IP address if the host of a URL is an IP address, in any spelling; `undefined` for a name. */
export function literalAddress({ hostname }: URL): string | undefined {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(address) === 0 ? undefined : address
}
