import { test } from 'tap'
import { listenAt } from '../../src/server/process/listen.ts'

const refusing = (code: string) => () => Promise.reject(Object.assign(new Error(`listen ${code}`), { code }))

test('each error of listening that another HOST or PORT avoids names the variable', async t => {
  for (const [code, variable] of [
    ['EADDRINUSE', 'PORT'],
    ['EACCES', 'PORT'],
    ['EADDRNOTAVAIL', 'HOST'],
    ['EAFNOSUPPORT', 'HOST'],
    ['EINVAL', 'HOST'],
    ['ENOTFOUND', 'HOST'],
    ['EAI_AGAIN', 'HOST'],
  ] as const)
    await t.rejects(listenAt({ host: 'name', port: 80 }, refusing(code)), {
      code,
      message: new RegExp(`^cannot listen at name:80: .+ \\(${code}\\); set ${variable} to `),
      cause: { code },
    })
})

test('another error of listening stays as it is', async t => {
  await t.rejects(listenAt({ host: '127.0.0.1', port: 80 }, refusing('EMFILE')), { message: 'listen EMFILE' })
})

test('the kernel may accept 4096 connections before the process does', async t => {
  t.same(await listenAt({ host: '127.0.0.1', port: 80 }, options => Promise.resolve(options)), {
    host: '127.0.0.1',
    port: 80,
    backlog: 4096,
  })
})
