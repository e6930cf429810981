// Products of matrices. Each number is added up in one order, whoever its neighbours are.

/** target[rows × columns] = left[rows × depth] · right[depth × columns]; put, added to what is there, or cut below 0, as `how` says. */
export function multiply(target: usize, left: usize, right: usize, rows: i32, depth: i32, columns: i32, how: i32): void {
  product(target, left, right, rows, depth, columns, how, <usize>depth << 2, 4);
}

/** target[rows × columns] = left[depth × rows], transposed, · right[depth × columns]. */
export function multiplyTransposed(
  target: usize, left: usize, right: usize, rows: i32, depth: i32, columns: i32, how: i32,
): void {
  product(target, left, right, rows, depth, columns, how, 4, <usize>rows << 2);
}

const ADD = 1;

const CUT = 2;

/** @param rowBytes, depthBytes from one number of `left` to the next in its row or depth */
function product(
  target: usize, left: usize, right: usize, rows: i32, depth: i32, columns: i32, how: i32, rowBytes: usize, depthBytes: usize,
): void {
  let row = 0;
  for (; row + 4 <= rows; row += 4) fourRows(target, left, right, row, depth, columns, how, rowBytes, depthBytes);
  for (; row < rows; row++) oneRow(target, left, right, row, depth, columns, how, rowBytes, depthBytes);
}

function fourRows(
  target: usize, left: usize, right: usize, row: i32, depth: i32, columns: i32, how: i32, rowBytes: usize, depthBytes: usize,
): void {
  const stride = <usize>columns << 2;
  const a = left + <usize>row * rowBytes;
  const out = target + <usize>row * stride;
  let column = 0;
  for (; column + 8 <= columns; column += 8) {
    let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    let b = right + (<usize>column << 2);
    for (let at = a, end = a + <usize>depth * depthBytes; at < end; at += depthBytes) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      const x0 = v128.load32_splat(at);
      s00 = f32x4.add(s00, f32x4.mul(x0, b0));
      s01 = f32x4.add(s01, f32x4.mul(x0, b1));
      const x1 = v128.load32_splat(at + rowBytes);
      s10 = f32x4.add(s10, f32x4.mul(x1, b0));
      s11 = f32x4.add(s11, f32x4.mul(x1, b1));
      const x2 = v128.load32_splat(at + 2 * rowBytes);
      s20 = f32x4.add(s20, f32x4.mul(x2, b0));
      s21 = f32x4.add(s21, f32x4.mul(x2, b1));
      const x3 = v128.load32_splat(at + 3 * rowBytes);
      s30 = f32x4.add(s30, f32x4.mul(x3, b0));
      s31 = f32x4.add(s31, f32x4.mul(x3, b1));
      b += stride;
    }
    let to = out + (<usize>column << 2);
    put(to, s00, how); put(to + 16, s01, how); to += stride;
    put(to, s10, how); put(to + 16, s11, how); to += stride;
    put(to, s20, how); put(to + 16, s21, how); to += stride;
    put(to, s30, how); put(to + 16, s31, how);
  }
  for (let next = row; next < row + 4; next++) {
    restOfRow(target, left, right, next, column, depth, columns, how, rowBytes, depthBytes);
  }
}

function oneRow(
  target: usize, left: usize, right: usize, row: i32, depth: i32, columns: i32, how: i32, rowBytes: usize, depthBytes: usize,
): void {
  const a = left + <usize>row * rowBytes;
  const out = target + (<usize>(row * columns) << 2);
  const stride = <usize>columns << 2;
  let column = 0;
  for (; column + 16 <= columns; column += 16) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    let b = right + (<usize>column << 2);
    for (let at = a, end = a + <usize>depth * depthBytes; at < end; at += depthBytes) {
      const x = v128.load32_splat(at);
      s0 = f32x4.add(s0, f32x4.mul(x, v128.load(b)));
      s1 = f32x4.add(s1, f32x4.mul(x, v128.load(b, 16)));
      s2 = f32x4.add(s2, f32x4.mul(x, v128.load(b, 32)));
      s3 = f32x4.add(s3, f32x4.mul(x, v128.load(b, 48)));
      b += stride;
    }
    const to = out + (<usize>column << 2);
    put(to, s0, how); put(to + 16, s1, how); put(to + 32, s2, how); put(to + 48, s3, how);
  }
  restOfRow(target, left, right, row, column, depth, columns, how, rowBytes, depthBytes);
}

function restOfRow(
  target: usize, left: usize, right: usize, row: i32, from: i32, depth: i32, columns: i32, how: i32,
  rowBytes: usize, depthBytes: usize,
): void {
  const a = left + <usize>row * rowBytes;
  for (let column = from; column < columns; column++) {
    let sum: f32 = 0;
    for (let k = 0; k < depth; k++) {
      sum += load<f32>(a + <usize>k * depthBytes) * load<f32>(right + (<usize>(k * columns + column) << 2));
    }
    const to = target + (<usize>(row * columns + column) << 2);
    if (how == ADD) sum = load<f32>(to) + sum;
    else if (how == CUT) sum = max<f32>(sum, 0);
    store<f32>(to, sum);
  }
}

// @ts-ignore: decorator
@inline
function put(to: usize, sum: v128, how: i32): void {
  if (how == ADD) v128.store(to, f32x4.add(v128.load(to), sum));
  else if (how == CUT) v128.store(to, f32x4.max(sum, f32x4.splat(0)));
  else v128.store(to, sum);
}

/** target[columns × rows] = input[rows × columns] */
export function transpose(target: usize, input: usize, rows: i32, columns: i32): void {
  for (let row = 0; row < rows; row++) {
    let from = input + (<usize>(row * columns) << 2);
    let to = target + (<usize>row << 2);
    for (let column = 0; column < columns; column++, from += 4, to += <usize>rows << 2) store<f32>(to, load<f32>(from));
  }
}
