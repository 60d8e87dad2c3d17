#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds one shader variant, or the list of all of them.

  build.py variant NAME SOURCE OUTPUT DEPFILE [-D...]
      glslc -Werror, spirv-opt -O, spirv-val; OUTPUT is a C fragment: the words of the module and what
      its interface is, read from the module itself so that no table can disagree with it:
        NAME_words[], NAME_BINDINGS "trw..." by binding number, NAME_PUSH_BYTES
      t  float texel buffer     i, u  integer texel buffers
      r  storage buffer, only read     w  only written     x  both
  build.py list OUTPUT NAME...
      an X-macro with one row per variant.
"""
import hashlib, os, shutil, struct, subprocess, sys, tempfile

# Opcodes, decorations and storage classes of the SPIR-V specification, as far as they matter here.
OP_TYPE_INT, OP_TYPE_FLOAT, OP_TYPE_VECTOR, OP_TYPE_MATRIX, OP_TYPE_IMAGE = 21, 22, 23, 24, 25
OP_TYPE_ARRAY, OP_TYPE_STRUCT, OP_TYPE_POINTER, OP_CONSTANT, OP_VARIABLE = 28, 30, 32, 43, 59
OP_DECORATE, OP_MEMBER_DECORATE = 71, 72
NON_WRITABLE, NON_READABLE, BINDING, OFFSET = 24, 25, 33, 35
UNIFORM_CONSTANT, PUSH_CONSTANT, STORAGE_BUFFER = 0, 9, 12


def reflect(words):
    """Bindings as one letter each and the size of the push constants."""
    types, constants, variables = {}, {}, []
    decorations, members, offsets = {}, {}, {}
    i = 5
    while i < len(words):
        op, n = words[i] & 0xffff, words[i] >> 16
        w = words[i + 1:i + n]
        if op in (OP_TYPE_INT, OP_TYPE_FLOAT, OP_TYPE_VECTOR, OP_TYPE_MATRIX, OP_TYPE_IMAGE, OP_TYPE_ARRAY,
                  OP_TYPE_STRUCT, OP_TYPE_POINTER):
            types[w[0]] = (op, w[1:])
        elif op == OP_CONSTANT:
            constants[w[1]] = w[2]
        elif op == OP_VARIABLE:
            variables.append((w[1], w[0], w[2]))
        elif op == OP_DECORATE:
            decorations.setdefault(w[0], {})[w[1]] = w[2:]
        elif op == OP_MEMBER_DECORATE:
            if w[2] == OFFSET:
                offsets.setdefault(w[0], {})[w[1]] = w[3]
            else:
                members.setdefault(w[0], {}).setdefault(w[1], set()).add(w[2])
        i += n

    def size(t):
        op, w = types[t]
        if op in (OP_TYPE_INT, OP_TYPE_FLOAT):
            return w[0] // 8
        if op == OP_TYPE_ARRAY:
            return size(w[0]) * constants[w[1]]
        if op == OP_TYPE_STRUCT:
            return max(offsets[t][m] + size(x) for m, x in enumerate(w))
        return size(w[0]) * w[1]

    letters, push = {}, 0
    for variable, pointer, storage in variables:
        if storage not in (UNIFORM_CONSTANT, PUSH_CONSTANT, STORAGE_BUFFER):
            continue
        target = types[pointer][1][1]
        op, w = types[target]
        if storage == PUSH_CONSTANT:
            push = size(target)
        elif storage == UNIFORM_CONSTANT and op == OP_TYPE_IMAGE:
            sampled, signed = types[w[0]][0], types[w[0]][1]
            letter = 't' if sampled == OP_TYPE_FLOAT else 'i' if signed[1] else 'u'
            letters[decorations[variable][BINDING][0]] = letter
        elif storage == STORAGE_BUFFER:
            flags = set(decorations[variable]) | members.get(target, {}).get(0, set())
            letter = 'r' if NON_WRITABLE in flags else 'w' if NON_READABLE in flags else 'x'
            letters[decorations[variable][BINDING][0]] = letter
    if sorted(letters) != list(range(len(letters))):
        sys.exit('bindings %s: they must be used from 0 on, without a gap' % sorted(letters))
    return ''.join(letters[k] for k in sorted(letters)), push


def tools():
    """Which compiler would run: another one of the same sources is another result."""
    found = [shutil.which(name) for name in ('glslc', 'spirv-opt', 'spirv-val')]
    return ['%s %d %d' % (path, os.stat(path).st_size, os.stat(path).st_mtime_ns) for path in found if path]


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def compile_variant(name, source, include, output, depfile, defines):
    """The C fragment; the files that went into it are in @depfile."""
    with tempfile.TemporaryDirectory() as folder:
        raw, small = os.path.join(folder, 'raw.spv'), os.path.join(folder, 'small.spv')
        subprocess.run(['glslc', '--target-env=vulkan1.1', '-Werror', '-I', include, *defines, '-MD', '-MF', depfile,
                        '-MT', output, '-o', raw, source], check=True)
        subprocess.run(['spirv-opt', '--target-env=vulkan1.1', '-O', raw, '-o', small], check=True)
        subprocess.run(['spirv-val', '--target-env', 'vulkan1.1', small], check=True)
        data = read(small)
    words = struct.unpack('<%dI' % (len(data) // 4), data)
    bindings, push = reflect(words)
    lines = ['  ' + ' '.join('0x%08xu,' % w for w in words[i:i + 8]) for i in range(0, len(words), 8)]
    return 'static const uint32_t %s_words[] = {\n%s\n};\n#define %s_BINDINGS "%s"\n#define %s_PUSH_BYTES %d\n' % (
        name, '\n'.join(lines), name, bindings, name, push)


def variant(name, source, output, depfile, defines):
    """Several builds of one tree (plain, with sanitizers) share fragments through the folder PENJING_SHADER_CACHE, where
    it is set, by what goes into them."""
    include = os.path.join(os.path.dirname(os.path.abspath(source)), 'include')
    cache, kept = os.environ.get('PENJING_SHADER_CACHE'), None
    inputs = [source] + sorted(os.path.join(include, file) for file in os.listdir(include))
    if cache:
        key = hashlib.sha256('\n'.join([name, *defines, *tools()]).encode())
        for path in [__file__] + inputs:
            key.update(read(path))
        kept = os.path.join(cache, key.hexdigest() + '.inc')
    if kept and os.path.exists(kept):
        shutil.copyfile(kept, output)
        # Whatever it may include: rather looked up once too often.
        with open(depfile, 'w') as f:
            f.write('%s: %s\n' % (output, ' '.join(path.replace(' ', '\\ ') for path in inputs)))
        return
    text = compile_variant(name, source, include, output, depfile, defines)
    with open(output, 'w') as f:
        f.write(text)
    if kept:
        os.makedirs(cache, exist_ok=True)
        with tempfile.NamedTemporaryFile('w', dir=cache, delete=False) as f:
            f.write(text)
        os.replace(f.name, kept)


def shader_list(output, names):
    with open(output, 'w') as f:
        f.write('/* One row per shader variant; made by shaders/build.py. */\n#define PJ_VK_SHADERS(ROW)')
        for name in sorted(names):
            f.write(' \\\n  ROW (%s)' % name)
        f.write('\n#ifdef PJ_VK_SHADER_WORDS\n')
        for name in sorted(names):
            f.write('#include "%s.spv.inc"\n' % name)
        f.write('#endif\n')


if __name__ == '__main__':
    if sys.argv[1] == 'list':
        shader_list(sys.argv[2], sys.argv[3:])
    else:
        try:
            variant(sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5], sys.argv[6:])
        except subprocess.CalledProcessError as error:
            sys.exit(error.returncode)
