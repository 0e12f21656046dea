import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { flags, readLoadOptions } from '../../../src/commands/load/options.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/load-testing.md'), 'utf8')

test('the page has every option of the load command with its default', t => {
  const rows = page.matchAll(/^\| `--([\w-]+)[^`]*` \| ([^|]*) \|/gm)
  const texts = Object.fromEntries(Array.from(rows, ([, name = '', value = '']) => [name, value]))
  t.same(new Set(Object.keys(texts)), new Set(Object.keys(flags)))
  for (const [name, flag] of Object.entries(flags)) {
    if ('default' in flag && typeof flag.default === 'string') t.equal(texts[name], `\`${flag.default}\``, name)
    else t.match(texts[name], flag.type === 'boolean' ? /^off$/ : /^(?:none|`GET`, or `POST` with a body)$/, name)
  }
  t.end()
})

test('the commands of the page have arguments that the load command accepts', t => {
  const file = join(t.testdir({ 'card.json': '{}' }), 'card.json')
  const commands = page.split('\n').filter(line => line.startsWith('headwaters load '))
  t.equal(commands.length, 4)
  for (const command of commands) {
    const words = Array.from(
      command.replace(/ > \S+$/, '').matchAll(/'([^']*)'|(\S+)/g),
      ([, quoted, plain]) => quoted ?? plain ?? '',
    )
    const args = words.slice(2).map(word => (word === 'card.json' ? file : word.replace('…', 'secret')))
    t.type(readLoadOptions(args), 'object', command)
  }
  t.end()
})
