import { namesSecret, redactedQuery, type Hides } from './redacted-query.ts'

/**
 * Returns a path and its query without secrets: the values of query parameters that are named as a secret are replaced,
 * and so are the segments of path parameters that are named as one.
 *
 * @param template - The template of the path, such as `/orders/{id}`.
 * @param hides - The choice of the values that are hidden. @default namesSecret
 */
export function redactedPath(path: string, template: string, hides: Hides = namesSecret): string {
  const query = path.indexOf('?')
  const own = query === -1 ? path : path.slice(0, query)
  return redactedQuery(redactedSegments(own, template, hides) + path.slice(own.length), hides)
}

function redactedSegments(path: string, template: string, hides: Hides): string {
  const names = template.split('/')
  const isHidden = (segment: string) => hasParameter(segment, hides)
  const first = names.findIndex(isHidden)
  if (first === -1) return path
  const segments = path.split('/')
  // A prefix of the app is before the path. A parameter of several segments makes the path longer than its template.
  if (names.some(isSeveral) || segments.length < names.length) return hiddenFrom(segments, first)
  const offset = segments.length - names.length
  return segments
    .map((segment, at) => {
      const name = names[at - offset]
      return name !== undefined && isHidden(name) ? name : segment
    })
    .join('/')
}

/** Hides all segments from the first secret on, because it is not known which of them are secret. */
function hiddenFrom(segments: readonly string[], first: number): string {
  return [...segments.slice(0, first), 'REDACTED'].join('/')
}

/** Returns whether a segment of a template has a parameter whose value is hidden. */
function hasParameter(segment: string, hides: Hides): boolean {
  for (let from = segment.indexOf('{'); from !== -1; from = segment.indexOf('{', from + 1)) {
    const end = segment.indexOf('}', from)
    if (end !== -1 && hides(segment.slice(from + 1, end))) return true
  }
  return false
}

function isSeveral(segment: string): boolean {
  return segment.endsWith('+}')
}
