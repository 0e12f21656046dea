import { runPieces } from '../core/pieces.ts'
import type { MetricsFormat } from './format.ts'
import type { Series } from './series.ts'
import type { Exemplar } from './series-table.ts'

/**
 * The time in which a piece of the rendering makes its lines, in ms. Joining them takes about as long. Each piece has a
 * turn of the event loop of its own.
 */
const linesMs = 0.5
/** The number of lines between two readings of the clock. */
const linesPerCheck = 64

/**
 * Renders tables as text. The work is done in pieces of about 1 ms, one per turn of the event loop, so that requests
 * are served meanwhile. A series is rendered in one piece, so its buckets and its sum belong together.
 *
 * @param tables The families, in the order of the text. A gauge is rendered always, and a counter or a histogram after
 *   its first count. A family without such a series is left out.
 * @param format The format: the text format of Prometheus 0.0.4, or OpenMetrics 1.0.
 */
export function renderTables(tables: Iterable<Series>, format: MetricsFormat): Promise<string> {
  // A series that is added during the rendering is left out: its gauge has no collected value yet.
  const pieces = renderPieces(
    Array.from(tables, table => ({ table, count: table.labels.length })),
    format,
  )
  return runPieces(pieces)
}

interface Family {
  readonly table: Series
  /** The number of its series that are rendered. */
  readonly count: number
}

function* renderPieces(families: readonly Family[], format: MetricsFormat): Generator<void, string, void> {
  const texts: string[] = []
  let parts: string[] = []
  let lines = 0
  let until = performance.now() + linesMs
  for (const { table, count } of families) {
    const writer = new FamilyWriter(table, format)
    let hasHeader = false
    for (let slot = 0; slot < count; slot++) {
      if (++lines >= linesPerCheck) {
        lines = 0
        if (performance.now() >= until) {
          // Each piece copies its own text, so that the last one copies a few long strings only.
          texts.push(parts.join(''))
          parts = []
          yield
          until = performance.now() + linesMs
        }
      }
      if (!table.isUsed(slot)) continue
      if (!hasHeader) {
        parts.push(writer.header)
        hasHeader = true
      }
      parts.push(writer.series(slot))
      lines += table.width
    }
  }
  texts.push(parts.join(''), format === 'openmetrics' ? '# EOF\n' : '')
  return texts.join('')
}

/** Writes the series of one family. The parts of its lines that do not change are made once. */
class FamilyWriter {
  readonly header: string
  readonly #table: Series
  readonly #name: string
  /** The end of the labels of each bucket, in the order of the counts. */
  readonly #ends: readonly string[] = []
  readonly #hasExemplars: boolean

  constructor(table: Series, format: MetricsFormat) {
    const { name, type, buckets } = table.family
    this.#table = table
    this.#name = name
    this.header = headerOf(table, format)
    this.#hasExemplars = format === 'openmetrics'
    if (type === 'histogram') this.#ends = [...(buckets ?? []).map(boundText), '+Inf'].map(bound => `le="${bound}"} `)
  }

  /** Returns the lines of one series. */
  series(slot: number): string {
    const table = this.#table
    const labels = table.labels[slot] as string
    if (table.family.type !== 'histogram')
      return `${this.#name}${labels === '' ? ' ' : `{${labels}} `}${numberText(table.values[slot] as number)}\n`
    const { values, width } = table
    const exemplars = this.#hasExemplars ? table.exemplars : undefined
    const start = `${this.#name}_bucket{${labels}${labels === '' ? '' : ','}`
    const first = slot * width
    let text = ''
    let count = 0
    for (let bucket = 0; bucket < width - 1; bucket++) {
      count += values[first + bucket] as number
      text += `${start}${this.#ends[bucket] as string}${count}${exemplarText(exemplars?.[first + bucket])}\n`
    }
    const rest = labels === '' ? ' ' : `{${labels}} `
    const sum = numberText(values[first + width - 1] as number)
    return `${text}${this.#name}_sum${rest}${sum}\n${this.#name}_count${rest}${count}\n`
  }
}

/** Returns the lines above the series of a family. OpenMetrics names a counter without `_total`, and has units. */
function headerOf({ family: { name, help, type } }: Series, format: MetricsFormat): string {
  if (format === 'prometheus') return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`
  const base = type === 'counter' && name.endsWith('_total') ? name.slice(0, -'_total'.length) : name
  const unit = ['seconds', 'bytes'].find(each => base.endsWith(`_${each}`))
  const unitLine = unit === undefined ? '' : `# UNIT ${base} ${unit}\n`
  return `# HELP ${base} ${escaped(help).replaceAll('"', '\\"')}\n# TYPE ${base} ${type}\n${unitLine}`
}

function escaped(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return ''
  const { traceId, value, time } = exemplar
  return ` # {trace_id="${traceId}"} ${numberText(value)} ${time.toFixed(3)}`
}

/**
 * Returns the bound of a bucket. OpenMetrics asks for `1.0` instead of `1`. Both formats have the same text, so that a
 * query does not depend on the format of the scrape.
 */
function boundText(bound: number): string {
  return Number.isSafeInteger(bound) ? `${bound}.0` : String(bound)
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}
