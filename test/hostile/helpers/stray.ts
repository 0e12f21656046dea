import { upstreams } from '../../../src/clients/index.ts'

/** The path templates of each upstream, by its name's place in `upstreams`. */
const templates = upstreams.map(operations =>
  Object.values(operations as Readonly<Record<string, { readonly path: string }>>).map(({ path }) => path.split('/')),
)

/** Characters that a path and a query may have on the wire when they were encoded. */
const target =
  /^(?:[\w\-.~!'()*/]|%[\da-f]{2})*(?:\?\w+=(?:[\w\-.~!'()*]|%[\da-f]{2})*(?:&\w+=(?:[\w\-.~!'()*]|%[\da-f]{2})*)*)?$/i

/** Says how a request line that an upstream got leaves the templates of its operations; nothing when it fits one. */
export function stray(upstream: number, line: string): string | undefined {
  const [method, url = '', version, ...more] = line.split(' ')
  if (method !== 'GET' || version !== 'HTTP/1.1' || more.length > 0) return `no request line of ours: ${line}`
  if (!target.test(url)) return `characters that are not encoded: ${line}`
  const [path = '', query] = url.split('?')
  const names = query?.split('&').map(pair => pair.split('=')[0]) ?? []
  if (new Set(names).size !== names.length) return `a query name twice: ${line}`

  const segments = path.split('/')
  const fits = templates[upstream]?.some(
    template =>
      template.length === segments.length &&
      template.every((part, index) => {
        const segment = segments[index] as string
        return part.startsWith('{') ? segment !== '' && !climbs(segment) : part === segment
      }),
  )
  return fits === true ? undefined : `outside every template: ${line}`
}

/** Whether a segment has a `.` or `..` in it, however often it was encoded. */
function climbs(segment: string): boolean {
  return decoded(segment)
    .split(/[\\/]/)
    .some(piece => piece === '.' || piece === '..')
}

/** Decodes until nothing is left to decode; what is no UTF-8 stays. */
function decoded(text: string): string {
  const once = text.replaceAll(/(?:%[\da-f]{2})+/gi, run => {
    try {
      return decodeURIComponent(run)
    } catch {
      return run
    }
  })
  return once === text ? text : decoded(once)
}
