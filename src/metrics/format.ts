import { listMembers, trimSpace } from '../core/list-header.ts'

/** A text format of metrics: that of Prometheus, version 0.0.4, or OpenMetrics 1.0. */
export type MetricsFormat = 'prometheus' | 'openmetrics'

/** The `content-type` of each format. */
export const contentTypes: Readonly<Record<MetricsFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** The versions of each format that are written. A range without a version accepts them too. */
const versions: Readonly<Record<string, string>> = {
  'text/plain': '0.0.4',
  'application/openmetrics-text': '1.0.0',
}

/** The media ranges that accept each format, the least specific one first. */
const ranges = {
  prometheus: ['*/*', 'text/*', 'text/plain'],
  openmetrics: ['*/*', 'application/*', 'application/openmetrics-text'],
} as const

/**
 * Returns the format that an `accept` header prefers (RFC 9110, section 12.5.1). The most specific range that matches a
 * format decides its quality. OpenMetrics must have the higher quality, so the result is the format of Prometheus for
 * a range for all types, without the header, and for a header that accepts no format.
 *
 * @param accept The value of the header.
 */
export function negotiateFormat(accept: string | undefined): MetricsFormat {
  const members = listMembers(accept?.toLowerCase()).map(readRange)
  return qualityOf(ranges.openmetrics, members) > qualityOf(ranges.prometheus, members) ? 'openmetrics' : 'prometheus'
}

interface Range {
  readonly type: string
  readonly quality: number
}

function readRange(member: string): Range {
  const [type = '', ...parameters] = member.split(';').map(trimSpace)
  let quality = 1
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=').map(trimSpace)
    if (name === 'q') quality = readQuality(value)
    if (name === 'version' && Object.hasOwn(versions, type) && unquoted(value) !== versions[type])
      return { type: '', quality: 0 }
  }
  return { type, quality }
}

/** Returns a quality from 0 to 1. An invalid one is 0. */
function readQuality(text: string): number {
  const value = text === '' ? Number.NaN : Number(text)
  return value >= 0 && value <= 1 ? value : 0
}

function unquoted(text: string): string {
  return text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
}

function qualityOf(names: readonly string[], members: readonly Range[]): number {
  let best = -1
  let quality = 0
  for (const member of members) {
    const specific = names.indexOf(member.type)
    if (specific === -1 || specific < best) continue
    quality = specific > best ? member.quality : Math.max(quality, member.quality)
    best = specific
  }
  return quality
}
