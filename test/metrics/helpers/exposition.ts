/** One line of a text: a sample with its labels, and its exemplar in OpenMetrics. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly exemplar?: {
    readonly labels: Readonly<Record<string, string>>
    readonly value: number
    readonly time: number
  }
}

/** A family of a text with its samples in order. */
export interface ParsedFamily {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly unit: string | undefined
  readonly samples: Sample[]
}

const metadata = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][\w:]*) (.*)$/
const number = String.raw`[+-]?Inf|Na[nN]|-?\d+(?:\.\d+)?(?:e[+-]\d+)?`
const labelSet = String.raw`\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\}`
const sample = new RegExp(
  String.raw`^([a-zA-Z_:][\w:]*)(?:${labelSet})? (${number})(?: # ${labelSet} (${number}) (\d+(?:\.\d+)?))?$`,
)

/**
 * Reads a text of metrics strictly. Throws for a line that is not of the format, for a sample outside of its family, and
 * for a family or a series that is there twice.
 */
export function parseExposition(text: string, format: 'prometheus' | 'openmetrics' = 'prometheus'): ParsedFamily[] {
  if (text === '') return []
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const lines = text.slice(0, -1).split('\n')
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('the last line is not # EOF')
  const families = new Map<string, { -readonly [K in keyof ParsedFamily]: ParsedFamily[K] }>()
  const seen = new Set<string>()
  let current = ''
  for (const line of lines) {
    // The library has an empty line between families.
    if (line === '' && format === 'prometheus') continue
    const [, kind, name = '', rest = ''] = metadata.exec(line) ?? []
    if (kind !== undefined) {
      if (name !== current && families.has(name)) throw new Error(`${name} is there twice`)
      current = name
      const family = families.get(name) ?? { name, help: '', type: 'untyped', unit: undefined, samples: [] }
      families.set(name, family)
      if (kind === 'HELP') family.help = unescaped(rest)
      else if (kind === 'TYPE') family.type = rest
      else family.unit = rest
      continue
    }
    const [, series = '', labels, value = '', exemplarLabels, exemplarValue, time] = sample.exec(line) ?? []
    const family = families.get(current)
    if (series === '' || family === undefined) throw new Error(`not a line of the format: ${line}`)
    if (!suffixesOf(family.type, format).some(suffix => series === `${family.name}${suffix}`))
      throw new Error(`${series} is not a sample of ${family.name}`)
    const read = { name: series, labels: labelsOf(labels), value: Number(value.replace('Inf', 'Infinity')) }
    const key = JSON.stringify([series, Object.entries(read.labels).sort(byName)])
    if (seen.has(key)) throw new Error(`${key} is there twice`)
    seen.add(key)
    family.samples.push(
      exemplarValue === undefined
        ? read
        : {
            ...read,
            exemplar: { labels: labelsOf(exemplarLabels), value: Number(exemplarValue), time: Number(time) },
          },
    )
  }
  return [...families.values()]
}

/** The values of a text by series, with bounds of buckets as numbers, to compare texts of two writers. */
export function valuesOf(families: readonly ParsedFamily[]): Record<string, number> {
  return Object.fromEntries(
    families.flatMap(({ samples }) =>
      samples.map(({ name, labels: { le, ...labels }, value }) => [
        JSON.stringify([
          name,
          le === undefined ? '' : Number(le.replace('Inf', 'Infinity')),
          Object.entries(labels).sort(byName),
        ]),
        value,
      ]),
    ),
  )
}

function suffixesOf(type: string, format: 'prometheus' | 'openmetrics'): readonly string[] {
  if (type === 'histogram') return ['_bucket', '_sum', '_count']
  return type === 'counter' && format === 'openmetrics' ? ['_total'] : ['']
}

function labelsOf(text = ''): Record<string, string> {
  return Object.fromEntries(
    Array.from(text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g), ([, name = '', value = '']) => [
      name,
      unescaped(value),
    ]),
  )
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
}

function byName([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : 1
}
