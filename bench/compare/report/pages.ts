import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chartOf } from './chart.ts'
import { markdownOf, sentencesOf } from './markdown.ts'
import type { Measurement } from '../measure/measure.ts'
import { bracketsText } from './tables.ts'
import { captionOf } from './result.ts'
import type { Result } from './result.ts'

const root = join(import.meta.dirname, '../..')
/** The text of a page between these comments is written from a result. */
const [begin, end] = ['<!-- bench: written by `npm run bench -- --write` -->', '<!-- /bench -->']

/** Writes the tables, the sentences and the chart of this checkout; another checkout is in the tables only. */
export function writePages(result: Result): void {
  const own = withoutOther(result.measurement)
  fill(
    'bench/README.md',
    `${captionOf(result)}; in brackets ${bracketsText(result.plan.rounds)}.\n\n${markdownOf(result.measurement)}`,
  )
  fill('README.md', sentencesOf(own, [5, 20]))
  writeFileSync(join(root, 'docs/bench.svg'), chartOf(own, captionOf(result)))
}

/** A measurement without the targets of another checkout. */
export function withoutOther(measurement: Measurement): Measurement {
  return { ...measurement, targets: measurement.targets.filter(name => !name.startsWith('other')) }
}

function fill(page: string, text: string) {
  const file = join(root, page)
  writeFileSync(file, filled(readFileSync(file, 'utf8'), text, page))
}

/** Puts a text between the two comments of a page, in place of what is there. */
export function filled(page: string, text: string, name: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`${name} lacks the comments '${begin}' and '${end}'`)
  return `${page.slice(0, from + begin.length)}\n\n${text.trimEnd()}\n\n${page.slice(to)}`
}
