// Package main
/*
//go:debug tls3des=0
*/

//go:debug tlsmlkem=0

package main
