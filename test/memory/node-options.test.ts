import { test } from 'tap'
import { splitNodeOptions } from '../../src/memory/node-options.ts'

test('NODE_OPTIONS is split as Node.js splits it', async t => {
  for (const [text, options] of [
    ['', []],
    ['  ', []],
    ['--a --b=1', ['--a', '--b=1']],
    ['"--a" "--b=1 2"', ['--a', '--b=1 2']],
    ['--require "./a b.js"', ['--require', './a b.js']],
    ['--b="1 2" --c', ['--b=1 2', '--c']],
    ['"--b=\\"x\\\\"', ['--b="x\\']],
    ['--path=C:\\a', ['--path=C:\\a']],
  ] as const)
    t.same(splitNodeOptions(text), options, text)
})
