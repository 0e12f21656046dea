import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'tap'

const folder = new URL('../../docs/decisions/', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8')
const files = readdirSync(folder).filter(file => file !== 'README.md')

const form =
  /^# (?<title>.+)\n\nDate: (?<date>\d{4}-\d\d-\d\d)\n\n\*\*Context\.\*\* [^]+\n\n\*\*Decision\.\*\* [^]+\n\n\*\*Consequence\.\*\* [^]+\n$/

test('each decision has a date, a context, a decision and a consequence', t => {
  t.ok(files.length > 40)
  t.same(
    files.filter(file => !form.test(read(file))),
    [],
  )
  t.end()
})

test('the list of decisions has each decision once, with its date and title, the oldest first', t => {
  const listed = Array.from(read('README.md').matchAll(/^\| (\d{4}-\d\d-\d\d) \| \[(.+)\]\((.+)\) \|$/gm), row =>
    row.slice(1),
  )
  const inFiles = files.map(file => {
    const { date = '', title = '' } = form.exec(read(file))?.groups ?? {}
    return `${date} ${title} ${file}`
  })
  t.same(listed.map(row => row.join(' ')).toSorted(), inFiles.toSorted())
  const dates = listed.map(([date]) => date as string)
  t.same(dates, dates.toSorted())
  t.end()
})
