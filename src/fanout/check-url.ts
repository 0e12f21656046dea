import { parseTemplate } from '../upstream/spec/template.ts'

/** Checks the url of an aggregate, which is a template. */
export function checkUrl(owner: string, url: string): void {
  if (url.includes('+}'))
    throw new TypeError(
      `${owner}: the url '${url}' has a name with '+', which only the path of an operation can have: remove the '+', ` +
        'or take the path as a field of the query',
    )
  parseTemplate(url, owner)
  const adjacent = /\{\w+\}\{\w+\}/.exec(url)
  if (adjacent !== null)
    throw new TypeError(
      `${owner}: the url '${url}' has no text between the parameters of '${adjacent[0]}', so the end of ` +
        `the first value is ambiguous: write text between them, for example '${adjacent[0].replace('}{', '},{')}'`,
    )
  const colon = /\/:([A-Za-z_]\w*)/.exec(url)
  if (colon !== null)
    throw new TypeError(
      `${owner}: the url '${url}' contains ':${colon[1]}', which is literal text: write {${colon[1]}} for a parameter`,
    )
  if (url.includes('*'))
    throw new TypeError(`${owner}: the url '${url}' contains '*', which routers read as a wildcard: encode it as %2A`)
}
