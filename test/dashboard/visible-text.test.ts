import { test } from 'tap'
import { visibleText } from '../../src/dashboard/model/visible-text.ts'
import { printable } from '../../src/log/printable.ts'

test('a character that hides or reorders text is shown as an escape, as on a terminal', async t => {
  t.equal(visibleText('/v1/a?b=\u202egnp.exe\u0007'), String.raw`/v1/a?b=\u202egnp.exe\u0007`)
  t.equal(visibleText('/v1/caf\u00e9?q=\u732b'), '/v1/caf\u00e9?q=\u732b')
  for (let code = 0; code <= 0xffff; code++) {
    const text = `a${String.fromCharCode(code)}b`
    if (visibleText(text) !== printable(text)) t.fail(`U+${code.toString(16)}: ${visibleText(text)}`)
  }
})
