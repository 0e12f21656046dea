import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { test } from 'tap'
import { z } from 'zod'
import { Environment } from '../src/config.ts'
import { errors } from '../src/errors.ts'
import { readJsonBody } from './helpers/read-json-body.ts'

const page = (name: string) => readFileSync(new URL(`../docs/${name}.md`, import.meta.url), 'utf8')

/** The cells of a page's table rows, without the marks of code. */
function rows (text: string): string[][] {
  return text.split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line => line.slice(1, -1).split('|').map(cell => cell.trim().replaceAll('`', '')))
}

test('the table of errors in the docs is the table in the code', async t => {
  const inCode = Object.entries(errors).map(([code, { status, title, text, verdict, retryable }]) =>
    [code, String(status), title, text, verdict, retryable ? 'yes' : 'no'])
  t.strictSame(rows(page('errors')), inCode)
})

test('the docs list every variable of the environment with its default', async t => {
  const inDocs = rows(page('options')).filter(([variable = '']) => variable in Environment.shape)
  const defaults = Environment.parse({}) as Record<string, unknown>
  t.strictSame(inDocs.map(([variable, value]) => [variable, value]), Object.keys(Environment.shape).map(variable => [variable, String(defaults[variable])]))
})

test('the docs say of each schema what it reads of which number', async t => {
  const text = page('numbers')
  const [header = ''] = text.split('\n').filter(line => line.startsWith('| schema |'))
  const numbers = header.slice(1, -1).split('|').map(cell => cell.trim().replaceAll('`', '')).slice(1)
  const table = rows(text)
  t.ok(table.length > 10)
  for (const [schema = '', ...values] of table) {
    // oxlint-disable-next-line typescript/no-implied-eval -- the page is ours
    const output = new Function('z', `return ${schema}`)(z) as z.ZodType
    for (const [index, number] of numbers.entries()) t.equal(values[index], read(output, number), `${schema} reads ${number}`)
  }
})

function read (output: z.ZodType, text: string): string {
  try {
    return inspect(readJsonBody(output, text))
  } catch {
    return 'failure'
  }
}
