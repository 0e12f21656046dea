import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { memoryGroups } from '../../src/memory/control-group.ts'

const machine = 8e9

/** The groups that a machine with these files has, as they are read. */
function groupsOf(root: string) {
  return memoryGroups(root, machine).map(group => [group.limitBytes, group.usedBytes()])
}

test('a group of version 2 has the lower one of its two limits, and its file cache does not count', async t => {
  const group = (max: string, high: string) => ({
    'memory.max': max,
    'memory.high': high,
    'memory.current': '300000000\n',
    'memory.stat': 'anon 1\ninactive_anon 7\ninactive_file 100000000\nactive_file 5\n',
  })
  for (const [max, high, limit] of [
    ['512000000\n', 'max\n', 512e6],
    ['512000000\n', '400000000\n', 400e6],
    ['max\n', '400000000\n', 400e6],
  ] as const) {
    t.same(groupsOf(t.testdir({ proc: { self: { cgroup: '0::/\n' } }, sys: { fs: { cgroup: group(max, high) } } })), [
      [limit, 200e6],
    ])
  }
  t.same(
    groupsOf(t.testdir({ proc: { self: { cgroup: '0::/\n' } }, sys: { fs: { cgroup: group('max\n', 'max\n') } } })),
    [],
    'without a limit there is no group',
  )
})

test('a group around the own one limits too', async t => {
  t.same(
    groupsOf(
      t.testdir({
        proc: { self: { cgroup: '0::/pod/service\n' } },
        sys: {
          fs: {
            cgroup: {
              pod: {
                'memory.max': '600',
                'memory.current': '500',
                'memory.stat': 'inactive_file 50\n',
                service: { 'memory.max': '512', 'memory.current': '300', 'memory.stat': 'inactive_file 0\n' },
              },
            },
          },
        },
      }),
    ),
    [
      [512, 300],
      [600, 450],
    ],
  )
})

test('a group of version 1 is read where it is mounted, and a path of the host that is not there is passed over', async t => {
  const group = {
    'memory.limit_in_bytes': '512000000\n',
    'memory.usage_in_bytes': '300000000\n',
    'memory.stat': 'inactive_file 1\ntotal_inactive_file 100000000\n',
  }
  t.same(
    groupsOf(
      t.testdir({
        proc: { self: { cgroup: '9:name=systemd:/\n4:cpu,memory:/docker/0123\n0::/\n' } },
        sys: { fs: { cgroup: { memory: group } } },
      }),
    ),
    [[512e6, 200e6]],
  )
})

test('a limit above the memory of the machine is ignored, because version 1 writes unlimited as such a number', async t => {
  t.same(
    groupsOf(
      t.testdir({
        proc: { self: { cgroup: '4:memory:/\n' } },
        sys: {
          fs: {
            cgroup: {
              memory: {
                'memory.limit_in_bytes': '9223372036854771712\n',
                'memory.usage_in_bytes': '1\n',
                'memory.stat': '',
              },
            },
          },
        },
      }),
    ),
    [],
  )
})

test('without control groups there is no limit, and a group without files has no values', async t => {
  t.same(groupsOf(t.testdir({})), [])
  const root = t.testdir({
    proc: { self: { cgroup: '0::/\n' } },
    sys: { fs: { cgroup: { 'memory.max': '512', 'memory.current': '300' } } },
  })
  const [group] = memoryGroups(root, machine)
  t.equal(group?.usedBytes(), 300)
  rmSync(join(root, 'sys'), { recursive: true })
  t.ok(Number.isNaN(group?.usedBytes()))
})
