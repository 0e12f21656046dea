import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { compile, copyOf, project, withErrors } from '../../helpers/compiled.ts'

const here = import.meta.dirname
const files = readdirSync(here).filter(name => name !== 'shop.ts' && !name.endsWith('.test.ts'))

test('the first line of the error of each typical mistake says what to do', async t => {
  const copies = files.map(name => [name, withErrors(copyOf(join(here, name)))] as const)
  const folder = t.testdir({ ...Object.fromEntries(copies), 'tsconfig.json': project(files) })
  const { output } = await compile(folder)
  const lines = output.split('\n')
  t.ok(files.length >= 10)
  for (const [name, text] of copies) {
    const says = /^\/\/ says: (.*)$/m.exec(text)?.[1]
    const own = lines.filter(line => line.includes(`${name}(`))
    t.ok(says !== undefined && own[0]?.includes(says), `${name}: ${own[0]}`)
  }
})
