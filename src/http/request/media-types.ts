import { splitUnquoted } from '../../core/media-type.ts'

/** The forms in which an aggregate can answer: JSON in one piece, or a stream of events. */
export type ReplyType = 'json' | StreamType

/** The forms of a stream: lines of JSON under either of two names, or server-sent events. */
export type StreamType = 'ndjson' | 'jsonl' | 'sse'

/** The media type of each form. */
export const mediaTypes: Readonly<Record<ReplyType, string>> = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  jsonl: 'application/jsonl',
  sse: 'text/event-stream',
}

/** The forms of an aggregate, JSON first. */
export type OfferedTypes = readonly ['json', ...(readonly StreamType[])]

/** The forms of an aggregate without streams. */
export const jsonOnly: OfferedTypes = ['json']

/** The forms of an aggregate with streams. */
export const withStreams: OfferedTypes = ['json', 'ndjson', 'jsonl', 'sse']

/** One range of the header, in lower case, with its weight from 0 to 1. */
interface Range {
  readonly type: string
  readonly quality: number
}

/**
 * Returns the offered form that an `accept` header prefers (RFC 9110, section 12.5.1), and undefined if it allows none.
 * The most specific range that matches a form gives its weight, `q=0` excludes it, and other parameters are not
 * compared. Of equal weights, a range that names the media type beats a wildcard, and then the order of `offered`
 * decides. Without the header, or with an empty list, the form is JSON.
 */
export function chooseType(accept: string | undefined, offered: OfferedTypes): ReplyType | undefined {
  if (accept === undefined || accept === '*/*' || accept === 'application/json') return 'json'
  const ranges = readRanges(accept)
  if (ranges.length === 0) return 'json'
  let chosen: ReplyType | undefined
  let quality = 0
  // A form with the weight 0 is never chosen.
  let isNamed = true
  for (const form of offered) {
    const type = mediaTypes[form]
    const range = rangeOf(type, ranges)
    if (range === undefined || range.quality < quality) continue
    const hasName = range.type === type
    if (range.quality === quality && (isNamed || !hasName)) continue
    chosen = form
    quality = range.quality
    isNamed = hasName
  }
  return chosen
}

/** Returns the most specific range that matches a media type. Of equal ranges it is the last one. */
function rangeOf(type: string, ranges: readonly Range[]): Range | undefined {
  const ofType = `${type.slice(0, type.indexOf('/'))}/*`
  let found: Range | undefined
  let best = 0
  for (const range of ranges) {
    const specific = range.type === type ? 3 : range.type === ofType ? 2 : range.type === '*/*' ? 1 : 0
    if (specific === 0 || specific < best) continue
    best = specific
    found = range
  }
  return found
}

function readRanges(accept: string): Range[] {
  const ranges: Range[] = []
  for (const member of splitUnquoted(accept.toLowerCase(), ',')) {
    if (member === '') continue
    const [type = '', ...parameters] = splitUnquoted(member, ';')
    const weight = parameters.find(parameter => parameter.startsWith('q='))
    ranges.push({ type, quality: weight === undefined ? 1 : qualityOf(weight, 'q='.length) })
  }
  return ranges
}

/** Returns the weight that a text has from an index: 0, 1, or up to three digits after the point. Others count as 0. */
function qualityOf(text: string, start: number): number {
  const whole = text[start]
  const length = text.length - start
  if ((whole !== '0' && whole !== '1') || length > 5) return 0
  if (length === 1) return Number(whole)
  if (text[start + 1] !== '.') return 0
  for (let index = start + 2; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 48
    if (digit < 0 || digit > (whole === '1' ? 0 : 9)) return 0
  }
  return Number(text.slice(start))
}
