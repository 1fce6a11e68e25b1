/* One instruction of one x86 extension, named at compile time: cc -DPROBE_avx512vnni probe.c
 *
 * setup_engine.py runs the program in a child process. Exit code 0: the instruction executes on this machine. A signal
 * (SIGILL as a rule): it does not, whatever CPUID says. It is written as assembly so that the probe itself is compiled
 * without any extension. Without a PROBE_ macro the program shows that the compiler makes programs that run.
 */

#if defined(PROBE_amx_tile) || defined(PROBE_amx_int8) || defined(PROBE_amx_bf16)

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    static unsigned char zeros[64], config[64]; /* palette 1, tiles 0 to 2 of 16 rows of 64 bytes */
    int tile;
    if (syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18 /* XTILEDATA */)) {
        return 1; /* ggml asks for the same permission before it uses AMX */
    }
    config[0] = 1;
    for (tile = 0; tile < 3; tile++) {
        config[16 + 2 * tile] = 64;
        config[48 + tile] = 16;
    }
    __asm__ volatile("ldtilecfg %0" : : "m"(config));
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm1" : : "r"(zeros), "r"(0L));
    __asm__ volatile("tilezero %%tmm0\n\ttilezero %%tmm2" : :);
#if defined(PROBE_amx_int8)
    __asm__ volatile("tdpbssd %%tmm2, %%tmm1, %%tmm0" : :);
#elif defined(PROBE_amx_bf16)
    __asm__ volatile("tdpbf16ps %%tmm2, %%tmm1, %%tmm0" : :);
#endif
    __asm__ volatile("tilerelease" : :);
    return 0;
}
#else
int main(void) {
    return 1;
}
#endif

#else

#define RUN(instruction) __asm__ volatile(instruction : : : "xmm0", "memory")

int main(void) {
#if defined(PROBE_sse4_2)
    __asm__ volatile("crc32l %%eax, %%eax" : : : "eax");
#elif defined(PROBE_avx)
    RUN("vaddps %%ymm0, %%ymm0, %%ymm0");
#elif defined(PROBE_avx2)
    RUN("vpaddd %%ymm0, %%ymm0, %%ymm0");
#elif defined(PROBE_fma)
    RUN("vfmadd132ps %%ymm0, %%ymm0, %%ymm0");
#elif defined(PROBE_f16c)
    RUN("vcvtph2ps %%xmm0, %%ymm0");
#elif defined(PROBE_bmi)
    __asm__ volatile("andn %%eax, %%eax, %%eax" : : : "eax", "cc");
#elif defined(PROBE_bmi2)
    __asm__ volatile("pdep %%eax, %%eax, %%eax" : : : "eax", "cc");
#elif defined(PROBE_gfni)
    RUN("gf2p8mulb %%xmm0, %%xmm0");
#elif defined(PROBE_avxvnni)
    RUN("%{vex%} vpdpbusd %%ymm0, %%ymm0, %%ymm0");
#elif defined(PROBE_avxvnniint8)
    RUN("vpdpbssd %%ymm0, %%ymm0, %%ymm0");
#elif defined(PROBE_avx512f)
    RUN("vaddps %%zmm0, %%zmm0, %%zmm0");
#elif defined(PROBE_avx512cd)
    RUN("vpconflictd %%zmm0, %%zmm0");
#elif defined(PROBE_avx512bw)
    RUN("vpaddb %%zmm0, %%zmm0, %%zmm0");
#elif defined(PROBE_avx512dq)
    RUN("vpmullq %%zmm0, %%zmm0, %%zmm0");
#elif defined(PROBE_avx512vl)
    RUN("vpternlogd $255, %%ymm0, %%ymm0, %%ymm0");
#elif defined(PROBE_avx512vnni)
    RUN("vpdpbusd %%zmm0, %%zmm0, %%zmm0");
#elif defined(PROBE_avx512vbmi)
    RUN("vpermb %%zmm0, %%zmm0, %%zmm0");
#elif defined(PROBE_avx512vbmi2)
    RUN("vpshldvd %%zmm0, %%zmm0, %%zmm0");
#elif defined(PROBE_avx512ifma)
    RUN("vpmadd52luq %%zmm0, %%zmm0, %%zmm0");
#elif defined(PROBE_avx512bitalg)
    RUN("vpopcntb %%zmm0, %%zmm0");
#elif defined(PROBE_avx512vpopcntdq)
    RUN("vpopcntd %%zmm0, %%zmm0");
#elif defined(PROBE_avx512bf16)
    RUN("vdpbf16ps %%zmm0, %%zmm0, %%zmm0");
#elif defined(PROBE_avx512fp16)
    RUN("vaddph %%zmm0, %%zmm0, %%zmm0");
#endif
    return 0;
}

#endif
