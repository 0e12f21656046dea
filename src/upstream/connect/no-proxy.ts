import { BlockList, isIP } from 'node:net'

/** Returns whether an entry lists a host. `family` is the address family of the host, or 0 for a name. */
type HostTest = (host: string, family: number) => boolean

interface Entry {
  readonly isNamed: HostTest
  /** The port that the entry lists; `undefined` for all ports. */
  readonly port: string | undefined
}

/**
 * Reads `NO_PROXY`. It contains host names, which include all names below them, addresses, networks (CIDR) and `*`.
 * Each can have a port. Any other entry is ignored.
 *
 * @returns A function that returns whether a target bypasses the proxy.
 */
export function readNoProxy(text: string): (target: URL) => boolean {
  const entries = text
    .split(/[\s,]+/)
    .map(readEntry)
    .filter(entry => entry !== undefined)
  return ({ hostname, port, protocol }) => {
    const host = bare(hostname)
    const family = isIP(host)
    const at = port || (protocol === 'https:' ? '443' : '80')
    return entries.some(entry => (entry.port === undefined || entry.port === at) && entry.isNamed(host, family))
  }
}

function readEntry(text: string): Entry | undefined {
  // The colons of an IPv6 address without brackets do not start a port.
  const [, named = '', port] = /^(\[.*\](?:\/\d+)?|[^:]*)(?::(\d+))?$/.exec(text) ?? [text, text]
  const isNamed = named === '*' ? () => true : (networkTest(named) ?? nameTest(named))
  return isNamed && { isNamed, port }
}

function networkTest(named: string): HostTest | undefined {
  const [, address = '', bits] = /^\[?([^\][/%]+)\]?\/(\d{1,3})\]?$/.exec(named) ?? []
  const family = isIP(address)
  return family === 0 || Number(bits) > (family === 4 ? 32 : 128) ? undefined : listTest(address, family, Number(bits))
}

function nameTest(named: string): HostTest | undefined {
  if (/[/?#@\\]/.test(named)) return undefined
  const name = named.replace(/^\*?\./, '')
  // The parser converts names and addresses to the form of target URLs: lower case, Punycode (IDNA), and one spelling
  // per address.
  const { hostname } = URL.parse(`http://${isIP(name) === 6 ? `[${name}]` : name}/`) ?? {}
  if (hostname === undefined) return undefined
  const host = bare(hostname)
  const family = isIP(host)
  return family === 0
    ? other => other === host || other.endsWith(`.${host}`)
    : listTest(host, family, family === 4 ? 32 : 128)
}

/**
 * Creates a test for an address or a network. An IPv4 address equals the IPv6 address that maps it. But an IPv6 network
 * with a prefix shorter than 96 bits contains no IPv4 address.
 */
function listTest(address: string, ofList: number, bits: number): HostTest {
  const list = new BlockList()
  list.addSubnet(address, bits, ofList === 4 ? 'ipv4' : 'ipv6')
  const isWide = ofList === 6 && bits < 96
  return (host, family) =>
    family === 6 ? list.check(host, 'ipv6') : family === 4 && !isWide && list.check(host, 'ipv4')
}

/** Removes the brackets of an IPv6 address and the dot at the end of a name. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}
