const text = JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id, name: `name ${id}`, tags: ['a', 'b'] })))
const times = 9

/**
 * Measures the speed of the machine: the shortest time to parse and write a fixed JSON text, in ms. A bound of time is
 * valid only on a machine that is as fast as the machine for which the bound was written.
 */
export function measureReferenceMs(): number {
  let least = Infinity
  for (let time = 0; time < times; time++) {
    const start = performance.now()
    JSON.stringify(JSON.parse(text))
    least = Math.min(least, performance.now() - start)
  }
  return least
}

const memoryBytes = 64 * 2 ** 20
const memoryTimes = 5

/**
 * Measures the speed of new memory: the shortest time to allocate and fill 64 MiB, in ms. A virtual machine whose host
 * takes memory back is slow at this, and garbage collections are slow on it, even if it computes fast.
 */
export function measureMemoryMs(): number {
  let least = Infinity
  for (let time = 0; time < memoryTimes; time++) {
    const start = performance.now()
    Buffer.allocUnsafeSlow(memoryBytes).fill(1)
    least = Math.min(least, performance.now() - start)
  }
  return least
}
