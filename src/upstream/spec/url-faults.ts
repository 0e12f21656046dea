import { isPublicAddress, literalAddress } from '../../core/public-address.ts'

/** Returns why `publicOnly` refuses a URL: its host is an address that is not public. Otherwise returns `undefined`. */
export function privateFault(url: string): string | undefined {
  const address = literalAddress(new URL(url))
  return address === undefined || isPublicAddress(address)
    ? undefined
    : `is at ${address}, which is not public: remove publicOnly`
}

/** Returns why a text is not the URL of a token endpoint; `undefined` if it is one. */
export function tokenUrlFault(url: string): string | undefined {
  const { protocol, username, password, hash } = URL.parse(url) ?? {}
  const isUrl = (protocol === 'https:' || protocol === 'http:') && username === '' && password === '' && hash === ''
  return isUrl
    ? undefined
    : 'is not the URL of a token endpoint: write for example https://auth.example.com/oauth/token'
}

/** Returns why a text is not the URL of a proxy; `undefined` if it is one. The result does not repeat the text. */
export function proxyFault(text: string): string | undefined {
  const url = URL.parse(text)
  return url?.protocol === 'http:' && url.pathname + url.search + url.hash === '/'
    ? undefined
    : 'is not the URL of a proxy: write http://host:port'
}
