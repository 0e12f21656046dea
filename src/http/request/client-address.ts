import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'

/** The addresses that a request came through. */
export interface Sender {
  readonly ip?: string | undefined
  /** The addresses from the connection's to the client's, if proxies are trusted. */
  readonly ips?: readonly string[] | undefined
}

/**
 * Returns the address of a request's client, in its canonical form and without a port. If an entry is not an address,
 * the result is the address of the proxy that wrote the entry, so that one client cannot count as several. The result
 * for a connection without an address is `unknown`.
 */
export function clientAddress({ ip, ips = [] }: Sender): string {
  const own = addressOf(ip)
  if (own !== undefined) return own
  for (let at = ips.length - 1; at >= 0; at--) {
    const address = addressOf(ips[at])
    if (address !== undefined) return address
  }
  return 'unknown'
}

/**
 * Parses an address from `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`, with or
 * without a zone. The result is the short lower-case form of IPv6 (RFC 5952); an IPv4 address within an IPv6 one is
 * IPv4.
 */
export function addressOf(text = ''): string | undefined {
  if (isIPv4(text)) return text
  const [, v4, bracketed] = /^(?:(\d+\.\d+\.\d+\.\d+):[\w.-]*|\[([^\]]*)\](?::[\w.-]*)?)$/.exec(text.trim()) ?? []
  const address = v4 ?? bracketed ?? text.trim()
  if (isIPv4(address)) return address
  return isIPv6(address) ? shortened(address) : undefined
}

function shortened(address: string): string {
  const [plain = ''] = address.split('%', 1)
  const short = new URL(`http://[${plain}]`).hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(short) ?? []
  return high === undefined || low === undefined ? short : [high, low].map(bytesOf).join('.')
}

function bytesOf(group: string): string {
  const value = Number.parseInt(group, 16)
  return `${value >> 8}.${value & 255}`
}

const named: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/**
 * Returns a function that returns whether the proxy at an address is trusted. It ignores a port after the address.
 * @throws TypeError for an entry that is neither an address nor a network
 */
export function trustOf(proxies: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList()
  for (const entry of proxies.flatMap(each =>
    Object.hasOwn(named, each) ? (named[each] as readonly string[]) : [each],
  )) {
    const [address = '', bits] = entry.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    try {
      if (bits === undefined) list.addAddress(address, family)
      else list.addSubnet(address, /^\d{1,3}$/.test(bits) ? Number(bits) : -1, family)
    } catch (error) {
      throw new TypeError(`trustProxy must list addresses or networks such as 10.0.0.0/8, got '${entry}'`, {
        cause: error,
      })
    }
  }
  return text => {
    const address = addressOf(text)
    return address !== undefined && list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
  }
}
