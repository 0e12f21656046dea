import { test, type Test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { startService } from '../helpers/service-process.ts'

const sizes = [96, 256, 512, 1024]

interface Reply {
  readonly complete?: boolean
  readonly code?: string
  readonly sources?: { readonly extra: { readonly code?: string } }
}

/** A service with an aggregate that keeps something for ever at each request; the signal SIGWINCH makes it let go of all. */
async function keeping (t: Test, megabytes: number, keep: string) {
  const { path } = definitionsFolder(t, { 'keeping.mjs': `
    import { aggregate } from 'headwaters'
    import { z } from 'zod'
    let kept = []
    process.on('SIGWINCH', () => { kept = [] })
    export const keeping = aggregate('keeping', { url: '/keeping', deadline: 60_000 })
      .required('keep', () => {
        ${keep}
        // The heap is looked at several times while it passes from one level to the next.
        return new Promise(resolve => { setTimeout(resolve, 20, kept.length) })
      })
      .optional('extra', 'left out', () => 'there')
      .reply(z.number(), ({ keep }) => keep)
  ` })
  // How late the loop of a crowded machine is does not matter here.
  const service = await startService(t, { MAX_LOOP_DELAY_MS: '0' }, ['serve', path], { node: [`--max-old-space-size=${megabytes}`] })
  const ask = async () => {
    const answer = await fetch(`${service.origin}/keeping`)
    const { complete, code, sources } = await answer.json() as Reply
    return answer.status === 200 && complete === true ? 'whole' : answer.status === 200 ? sources?.extra.code : code
  }
  return { ...service, ask }
}

for (const megabytes of sizes) {
  test(`with an old space of ${megabytes} MB what is optional is left out from 64 % on, requests are refused from 80 % on, and both end when the memory is free`, { timeout: 120_000 }, async t => {
    // Half of the old space at the first request, and a hundredth of it at each further one.
    const { stop, ask } = await keeping(t, megabytes, `for (let parts = kept.length === 0 ? 50 : 1; parts > 0; parts--) kept.push(new Array(${megabytes * 10_000 / 8}).fill(0.5))`)
    const answers: (string | undefined)[] = []
    for (;;) {
      const answer = await ask()
      if (answer !== answers.at(-1)) answers.push(answer)
      if (answer === 'OVERLOADED' || answers.length > 10) break
    }
    t.same(answers, ['whole', 'SHED', 'OVERLOADED'])
    stop('SIGWINCH')
    let answer
    do answer = await ask()
    while (answer === 'OVERLOADED')
    t.equal(answer, 'whole')
  })
}

test('a service whose module leaks refuses requests and lives', { timeout: 120_000 }, async t => {
  const { origin, ask } = await keeping(t, 96, 'for (let count = 0; count < 4000; count++) kept.push({ count, list: [count], text: `number ${kept.length}` })')
  const counts: Record<string, number> = {}
  while ((counts['OVERLOADED'] ?? 0) < 500) {
    for (const answer of await Promise.all(Array.from({ length: 8 }, ask))) counts[String(answer)] = (counts[String(answer)] ?? 0) + 1
  }
  t.equal((await fetch(`${origin}/health/ready`)).status, 200)
})
